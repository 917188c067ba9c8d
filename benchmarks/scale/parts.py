"""Every part, in the order in which it runs. docs/evaluation.md states the `FULL` ones; `SMALL` tries them out."""

from __future__ import annotations

from benchmarks.scale.part import Part

FULL = (
    Part(
        "many_small_sources",
        "{sources:,} small sources, from upload to assembled",
        {"sources": 1_000, "in_process": 100, "sample": 3},
    ),
    Part("many_tenants", "{tenants:,} tenants of {sources} sources", {"tenants": 1_000, "sources": 20}),
    Part("audit_verify", "The audit log, verified", {"entries": 200_000}),
    Part("one_large_source", "One source of {rows:,} rows", {"rows": 200_000}),
    Part("one_large_source", "One source of {rows:,} rows", {"rows": 1_000_000}),
)

SMALL = (
    Part(
        "many_small_sources",
        "{sources:,} small sources, from upload to assembled",
        {"sources": 20, "in_process": 20, "sample": 1},
    ),
    Part("many_tenants", "{tenants:,} tenants of {sources} sources", {"tenants": 20, "sources": 5}),
    Part("audit_verify", "The audit log, verified", {"entries": 5_000}),
    Part("one_large_source", "One source of {rows:,} rows", {"rows": 20_000}),
)

"""Every part, in the order in which it runs. docs/evaluation.md states the `FULL` ones; `SMALL` tries them out."""

from __future__ import annotations

from benchmarks.scale.part import Part

FULL = (
    Part(
        "many_small_sources",
        "1,000 small sources, from upload to assembled",
        {"sources": 1_000, "in_process": 100, "sample": 3},
    ),
    Part("many_tenants", "1,000 tenants of 20 sources", {"tenants": 1_000, "sources": 20}),
    Part("audit_verify", "The audit log, verified", {"entries": 200_000}),
    Part("one_large_source", "One source of 200,000 rows", {"rows": 200_000}),
    Part("one_large_source", "One source of 1,000,000 rows", {"rows": 1_000_000}),
)

SMALL = (
    Part(
        "many_small_sources",
        "20 small sources, from upload to assembled",
        {"sources": 20, "in_process": 20, "sample": 1},
    ),
    Part("many_tenants", "20 tenants of 5 sources", {"tenants": 20, "sources": 5}),
    Part("audit_verify", "The audit log, verified", {"entries": 5_000}),
    Part("one_large_source", "One source of 20,000 rows", {"rows": 20_000}),
)

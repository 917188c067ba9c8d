"""Stage 2, `identify`: format, encoding, language and structure of each object, found by reading it once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tenant_pipeline.core.stage import StageCount
from tenant_pipeline.core.tables import RawObjects, StageReader, StageWriter
from tenant_pipeline.intake.manifest import ManifestEntry, manifest_entries
from tenant_pipeline.intake.overruled import OverruledRefusal
from tenant_pipeline.intake.readers.item import UnreadableError
from tenant_pipeline.intake.refusals import Refusals
from tenant_pipeline.intake.sandbox.limits import ParserLimits
from tenant_pipeline.intake.sandbox.parsers import profile

RELEASABLE = frozenset({"parser-time", "parser-memory", "parser-killed", "parser-crashed"})
"""Refusals that a person may overrule: the object is then read within far wider limits."""
RELEASED_LIMITS = ParserLimits(memory_bytes=8 * 1024**3, cpu_seconds=3600)


def identify(
    received: StageReader, raw: RawObjects, out: StageWriter, *, released: Collection[OverruledRefusal] = ()
) -> tuple[StageCount, ...]:
    """Write the document `profile`: for each readable object its reader and its tables with their fields.

    An object that cannot be read is quarantined with the reason; the others go on. `released` are refusals that a
    person has overruled; what is refused and what is let in by them stands in the table `refusals`.
    """
    objects: list[dict[str, Any]] = []
    seen = tables = 0
    with Refusals(out, released) as refusals:
        for entry in manifest_entries(received):
            seen += 1
            wider = refusals.is_released(entry.object, entry.sha256, *sorted(RELEASABLE))
            try:
                found = _profile(entry, raw, tables, wider=wider)
            except UnreadableError as unreadable:
                refusals.refuse(entry.object, unreadable.code, unreadable.reason, entry.sha256)
                continue
            tables += len(found["tables"])
            objects.append(found)
    out.document("profile", {"objects": objects})
    return (StageCount("object", seen, len(objects), 0, refusals.quarantined, len(objects), "object"),)


def limits_of(wider: bool) -> ParserLimits:
    """The limits within which an object is read: the ordinary ones, or those for what a person has released."""
    return RELEASED_LIMITS if wider else ParserLimits()


def _profile(entry: ManifestEntry, raw: RawObjects, tables: int, *, wider: bool) -> dict[str, Any]:
    with raw.open(entry.sha256) as stream:
        found = profile(stream, entry.path, limits=limits_of(wider))
    return {
        "object": entry.object,
        "path": entry.path,
        "released": wider,
        **{name: found[name] for name in ("reader", "media_type", "encoding", "confidence", "language", "problems")},
        "tables": [
            {"table": f"t{tables + number:05d}", **{name: table[name] for name in ("name", "shape", "fields", "rows")}}
            for number, table in enumerate(found["tables"], 1)
        ],
    }

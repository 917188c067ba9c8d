"""Stage 2, `identify`: format, encoding, language and structure of each object, found by reading it once."""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.stage import Disposition, Reject, StageCount
from tenant_pipeline.core.tables import RawObjects, StageReader, StageWriter
from tenant_pipeline.intake.manifest import ManifestEntry, manifest_entries
from tenant_pipeline.intake.readers.item import UnreadableError
from tenant_pipeline.intake.sandbox.parsers import profile


def identify(received: StageReader, raw: RawObjects, out: StageWriter) -> tuple[StageCount, ...]:
    """Write the document `profile`: for each readable object its reader and its tables with their fields.

    An object that cannot be read is quarantined with the reason; the others go on.
    """
    objects: list[dict[str, Any]] = []
    seen = quarantined = tables = 0
    for entry in manifest_entries(received):
        seen += 1
        try:
            found = _profile(entry, raw, tables)
        except UnreadableError as unreadable:
            quarantined += 1
            out.reject(Reject(entry.object, unreadable.code, unreadable.reason, Disposition.QUARANTINED))
            continue
        tables += len(found["tables"])
        objects.append(found)
    out.document("profile", {"objects": objects})
    return (StageCount("object", seen, len(objects), 0, quarantined, len(objects), "object"),)


def _profile(entry: ManifestEntry, raw: RawObjects, tables: int) -> dict[str, Any]:
    with raw.open(entry.sha256) as stream:
        found = profile(stream, entry.path)
    return {
        "object": entry.object,
        "path": entry.path,
        **{name: found[name] for name in ("reader", "media_type", "encoding", "confidence", "language", "problems")},
        "tables": [
            {"table": f"t{tables + number:05d}", **{name: table[name] for name in ("name", "shape", "fields", "rows")}}
            for number, table in enumerate(found["tables"], 1)
        ],
    }

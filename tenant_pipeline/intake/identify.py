"""Stage 2, `identify`: format, encoding, language and structure of each object, found by reading it once."""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.core.stage import Disposition, Reject, StageCount
from tenant_pipeline.core.standardise.language import language_by_script
from tenant_pipeline.core.tables import RawObjects, StageReader, StageWriter
from tenant_pipeline.intake.formats import identify_format
from tenant_pipeline.intake.manifest import ManifestEntry, manifest_entries
from tenant_pipeline.intake.readers.item import Item, UnreadableError
from tenant_pipeline.intake.readers.registry import READERS

LANGUAGE_SAMPLE = 4_000
MOST_FIELDS = 2_000


def identify(received: StageReader, raw: RawObjects, out: StageWriter) -> tuple[StageCount, ...]:
    """Write the document `profile`: for each readable object its reader and its tables with their fields.

    An object that cannot be read is quarantined with the reason; the others go on.
    """
    objects: list[dict[str, Any]] = []
    seen = quarantined = tables = 0
    for entry in manifest_entries(received):
        seen += 1
        try:
            profile = _profile(entry, raw, tables)
        except UnreadableError as unreadable:
            quarantined += 1
            out.reject(Reject(entry.object, unreadable.code, unreadable.reason, Disposition.QUARANTINED))
            continue
        tables += len(profile["tables"])
        objects.append(profile)
    out.document("profile", {"objects": objects})
    return (StageCount("object", seen, len(objects), 0, quarantined, len(objects), "object"),)


def _profile(entry: ManifestEntry, raw: RawObjects, tables: int) -> dict[str, Any]:
    with raw.open(entry.sha256) as stream:
        found = identify_format(stream, entry.path)
        stream.seek(0)
        fields: dict[tuple[str, str], dict[str, None]] = {}
        sample = ""
        try:
            for item in READERS[found.reader](stream, found.encoding):
                if isinstance(item, Item):
                    known = fields.setdefault((item.table, item.shape), {})
                    known.update(dict.fromkeys(item.values))
                    if len(known) > MOST_FIELDS:
                        raise UnreadableError("too-many-fields", "Its records have too many different fields.")
                    if len(sample) < LANGUAGE_SAMPLE:
                        sample += " ".join(value for value in item.values.values() if value)[:LANGUAGE_SAMPLE]
        except (UnreadableError, TenantRuntimeError):
            raise
        except (
            Exception
        ) as error:  # a parser may raise anything on hostile input; it is this object's end, not the run's
            raise UnreadableError("parse-error", f"Its parser gave up ({type(error).__name__}).") from None
        if not fields:
            raise UnreadableError("nothing-in-it", "There is no record and no text in it.")
    return {
        "object": entry.object,
        "path": entry.path,
        "reader": found.reader,
        "media_type": found.media_type,
        "encoding": found.encoding,
        "confidence": round(found.confidence, 3),
        "language": language_by_script(sample),
        "tables": [
            {"table": f"t{tables + number:05d}", "name": name, "shape": shape, "fields": list(known)}
            for number, ((name, shape), known) in enumerate(sorted(fields.items()), 1)
        ],
    }

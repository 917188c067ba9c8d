"""What a materialisation shows: origin, counts, digests, reject reasons and a preview that holds no personal data."""

from __future__ import annotations

from typing import Any

import dagster as dg

from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.conflicts.reading import Filter, conflicts_of_source, counts_of_matrix
from tenant_pipeline.services.coverage.reading import read_coverage
from tenant_pipeline.services.lineage import RAW_STAGES
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import StageRecord

PREVIEW_ROWS = 5
PREVIEW_OBJECTS = 50
PREVIEW_COLUMNS = 8
PREVIEW_CHARACTERS = 60


def stage_metadata(runtime: Runtime, source: Source, record: StageRecord) -> dict[str, Any]:
    """Metadata of one stage's materialisation."""
    metadata, tenant = _record_metadata(source, record), source.tenant
    if record.reject_codes:
        rows = [{"reason": code, "rows": count} for code, count in sorted(record.reject_codes.items())]
        metadata["rejects"] = dg.MetadataValue.md(_markdown_table(rows))
    if record.stage == Stage.IDENTIFY:
        metadata["formats"] = dg.MetadataValue.md(_markdown_table(_formats(runtime, tenant, record)))
    if record.stage == Stage.MAP:
        metadata |= _mapped(runtime, tenant, record)
    if Stage(record.stage) not in RAW_STAGES:
        preview = _preview(runtime, tenant, record)
        if preview:
            metadata["preview"] = dg.MetadataValue.md(preview)
    return metadata


def conflict_metadata(runtime: Runtime, source: Source, record: StageRecord) -> dict[str, Any]:
    """Metadata of a conflict matrix: this source's items by rule, the matrix of all that it shares an item with, and
    how to draw it. Titles of sources are not screened and therefore left out."""
    rules = conflicts_of_source(runtime, source.tenant, source.id)
    matrix = _markdown_table(_matrix(runtime, source.tenant, source.id))
    drawn = f"tenant-pipeline conflict draw --tenant {source.tenant} --source {source.id} --output conflicts.html"
    return {
        **_record_metadata(source, record),
        "conflicts": sum(row["items"] for row in rules if row["verdict"] == "differs"),
        "matrix": dg.MetadataValue.md(matrix or "No two sources differ."),
        "rules": dg.MetadataValue.md(_markdown_table(rules)),
        "drawing": dg.MetadataValue.md(f"`{drawn}`"),
    }


def _matrix(runtime: Runtime, tenant: TenantId, source: SourceId) -> list[dict[str, Any]]:
    """Sources by properties: how many of this source's items are open and differ, of how many."""
    counted: dict[str, dict[str, list[int]]] = {}
    for row in counts_of_matrix(runtime, tenant, Filter(source=source)):
        cell = counted.setdefault(row["source_id"], {}).setdefault(row["property"], [0, 0])
        cell[0] += row["items"] if (row["verdict"], row["status"]) == ("differs", "open") else 0
        cell[1] += row["items"]
    properties = sorted({name for cells in counted.values() for name in cells})
    return [
        {
            "source": f"{each} (this one)" if each == source else each,
            **{name: f"{cells[name][0]} of {cells[name][1]}" if name in cells else "" for name in properties},
        }
        for each, cells in sorted(counted.items(), key=lambda pair: (pair[0] != source, pair[0]))
    ]


def coverage_metadata(runtime: Runtime, source: Source, record: StageRecord) -> dict[str, Any]:
    """Metadata of a coverage score: each dimension with its band and the reason for it."""
    columns = ("dimension", "score", "band", "counts_as", "pass_at", "warn_at", "blocking", "explanation")
    found = [each.as_json() for each in read_coverage(runtime, source.tenant, source.id)]
    rows = [{column: each[column] for column in columns} for each in found]
    metadata = _record_metadata(source, record)
    metadata.update({f"coverage/{row['dimension']}": row["score"] for row in rows if row["score"] is not None})
    return {**metadata, "dimensions": dg.MetadataValue.md(_markdown_table(rows))}


def _record_metadata(source: Source, record: StageRecord) -> dict[str, Any]:
    return {
        "origin": str(source.origin),
        "unit_mode": str(source.unit_mode),
        "authority_tier": source.authority_rank,
        "dagster/row_count": record.rows_out,
        "rows_in": record.rows_in,
        "rows_rejected": record.rejected,
        "rows_quarantined": record.quarantined,
        "conserved": dg.MetadataValue.md(
            _markdown_table(
                [
                    {
                        "unit": count.unit,
                        "in": count.rows_in,
                        "out": count.rows_out,
                        "rejected": count.rejected,
                        "quarantined": count.quarantined,
                        "became": f"{count.emitted} {count.emitted_unit}",
                    }
                    for count in record.counts
                ]
            )
        ),
        "input_digest": record.input_digest,
        "output_digest": record.output_digest,
        "stage_code_version": record.code_version,
        "repeated": record.repeated,
        "stage_seconds": round(record.seconds, 3),
        **({"gate_verdict": record.gate_verdict} if record.gate_verdict else {}),
    }


def _formats(runtime: Runtime, tenant: TenantId, record: StageRecord) -> list[dict[str, Any]]:
    """What each object was found to be, and how sure that is. Names of files and fields are not screened: left out."""
    profile = runtime.stage_store(tenant).read(record.output_digest).document("profile")
    return [
        {
            "object": each["object"],
            "format": each["reader"],
            "encoding": each["encoding"],
            "sure": f"{each['confidence']:.0%}",
            "language": each["language"],
            "tables": len(each["tables"]),
            "rows": sum(table["rows"] for table in each["tables"]),
            "problems": each["problems"],
        }
        for each in profile["objects"][:PREVIEW_OBJECTS]
    ]


def _mapped(runtime: Runtime, tenant: TenantId, record: StageRecord) -> dict[str, Any]:
    """Which fields went where, and how many values went nowhere."""
    report = runtime.stage_store(tenant).read(record.output_digest).document("mapping")
    totals = report["totals"]
    rows = [
        {
            "table": each["table"],
            "mapping": each["mapping"],
            "type": each["type"],
            "unmapped fields": ", ".join(map(_short, each["unmapped"][:PREVIEW_COLUMNS])),
        }
        for each in report["tables"][:PREVIEW_OBJECTS]
    ]
    return {
        "fields_mapped": f"{totals['fields_mapped']} of {totals['fields']}",
        "values_mapped": f"{totals['values_mapped']} of {totals['values']}",
        "mappings": dg.MetadataValue.md(_markdown_table(rows)),
    }


def _preview(runtime: Runtime, tenant: TenantId, record: StageRecord) -> str:
    role = {Stage.SCREEN: "records", Stage.LINK: "links"}.get(Stage(record.stage), "statements")
    for table in runtime.stage_store(tenant).read(record.output_digest).tables(role):
        for frame in table.batches():
            names = [name for name in frame.columns if name != "record"][:PREVIEW_COLUMNS]
            fields = dict(zip(table.descriptor.field_columns, table.descriptor.fields, strict=True))
            head = frame[names].head(PREVIEW_ROWS).to_dict("records")
            rows = [{fields.get(str(name), str(name)): _short(value) for name, value in row.items()} for row in head]
            return _markdown_table(rows)
    return ""


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= PREVIEW_CHARACTERS else text[:PREVIEW_CHARACTERS] + "…"


def _markdown_table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for row in rows:
        cells = (str("" if row[name] is None else row[name]) for name in names)
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines)

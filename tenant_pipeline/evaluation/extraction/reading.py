"""The records of a file as the pipeline reads them, and as others do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import mwparserfromhell
import pandas as pd

from tenant_pipeline.evaluation.extraction.record import Record
from tenant_pipeline.evaluation.extraction.travel_guide import as_ours
from tenant_pipeline.intake.readers.item import RECORDS, Problem
from tenant_pipeline.intake.sandbox import parsers


def read_records(path: Path, name: str = "") -> tuple[list[Record], str]:
    """The records of a file as the pipeline reads them, in a confined parser, and the language found in it.

    `name` is the name under which the file would be handed in. Raises UnreadableError as the pipeline would.
    """
    with path.open("rb") as stream:
        found = parsers.profile(stream, name or path.name)
        stream.seek(0)
        tables = [table for table in found["tables"] if table["shape"] == RECORDS]
        records: list[Record] = []
        batches = parsers.records(stream, reader=found["reader"], encoding=found["encoding"], tables=found["tables"])
        for batch in batches:
            if isinstance(batch, Problem):
                continue
            number, rows = batch
            table = found["tables"][number]
            if table not in tables:
                continue
            names = [*table["fields"]]
            for row in zip(*(column.to_pylist() for column in rows.columns), strict=True):
                values = {field: value for field, value in zip(names, row[1:], strict=True) if value is not None}
                records.append(Record(f"{table['name']} {row[0]}".strip(), values))
    return records, found["language"]


def read_by_peer(path: Path) -> tuple[str, list[Record]] | None:
    """The records as the library that a user would otherwise take reads them by default, with the library's name.

    None where there is no such library for the format. A file that it refuses has no records.
    """
    suffix = path.suffix.lower()
    if suffix in _PANDAS:
        records: list[Record] = []
        with suppress(Exception):
            frames = _PANDAS[suffix](path)
            for number, frame in enumerate(frames):
                records += _of_frame(frame, f"table={number + 1}")
        return "pandas", records
    if suffix in (".wiki", ".wikitext"):
        listings = templates(path.read_text(encoding="utf-8"))
        return "mwparserfromhell", [as_ours(record) for record in listings if "name" in record.values]
    return None


def templates(text: str) -> list[Record]:
    """The templates of a wikitext with named parameters, as its plain parser has them."""
    records = []
    for number, template in enumerate(mwparserfromhell.parse(text).filter_templates(recursive=False)):
        values = {
            str(parameter.name).strip(): str(parameter.value).strip()
            for parameter in template.params
            if parameter.showkey and str(parameter.value).strip()
        }
        if values:
            records.append(Record(f"template={number + 1}", {**values, "kind": str(template.name).strip()}))
    return records


def _of_frame(frame: pd.DataFrame, table: str) -> list[Record]:
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", force_ascii=False, date_format="iso"))
    return [
        Record(
            f"{table}&row={number + 2}", {str(name): _text(value) for name, value in row.items() if value is not None}
        )
        for number, row in enumerate(rows)
    ]


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


_PANDAS: Mapping[str, Callable[[Path], list[pd.DataFrame]]] = {
    ".csv": lambda path: [pd.read_csv(path, dtype="string")],
    ".tsv": lambda path: [pd.read_csv(path, sep="\t", dtype="string")],
    ".xlsx": lambda path: list(pd.read_excel(path, sheet_name=None, dtype="string").values()),
    ".json": lambda path: [pd.read_json(path, dtype=False)],
    ".jsonl": lambda path: [pd.read_json(path, lines=True, dtype=False)],
    ".html": lambda path: pd.read_html(path),
}

"""One way of reading one file, measured alone: `python -m benchmarks.intake_measures WHAT FILE`."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.measured import print_measure


def ours(path: Path) -> int:
    """Identified, profiled and extracted in the sandbox, as a source's object is: it is read twice."""
    from tenant_pipeline.intake.readers.item import Problem
    from tenant_pipeline.intake.sandbox.parsers import profile, records

    rows = 0
    with path.open("rb") as file:
        found = profile(file, path.name)
        for each in records(file, reader=found["reader"], encoding=found["encoding"], tables=found["tables"]):
            rows += 1 if isinstance(each, Problem) else each[1].num_rows
    return rows


def reader_alone(path: Path) -> int:
    """The reader's items, once, in this process: what the parser's own process holds."""
    from tenant_pipeline.intake.formats import identify_format
    from tenant_pipeline.intake.readers.registry import READERS

    with path.open("rb") as file:
        found = identify_format(file, path.name)
        file.seek(0)
        return sum(1 for _ in READERS[found.reader](file, found.encoding))


def pandas_csv(path: Path) -> int:
    """pandas, as most people would."""
    import pandas as pd

    return len(pd.read_csv(path, dtype=str, keep_default_na=False))


def pyarrow_csv(path: Path) -> int:
    """pyarrow's multi-threaded reader."""
    from pyarrow import csv as arrow_csv

    return int(arrow_csv.read_csv(path).num_rows)


def csv_module(path: Path) -> int:
    """The standard library's csv."""
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def openpyxl_rows(path: Path) -> int:
    """openpyxl, reading only."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    return sum(1 for _ in book.worksheets[0].iter_rows(values_only=True)) - 1


def calamine_rows(path: Path) -> int:
    """calamine."""
    from python_calamine import CalamineWorkbook

    return len(CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()) - 1


def json_load(path: Path) -> int:
    """The standard library's json, whole."""
    with path.open(encoding="utf-8") as file:
        return len(json.load(file))


def ijson_items(path: Path) -> int:
    """ijson, streamed."""
    import ijson

    with path.open("rb") as file:
        return sum(1 for _ in ijson.items(file, "item", use_float=True))


def mwxml_listings(path: Path) -> int:
    """mwxml for the dump, mwparserfromhell for the listings."""
    import mwparserfromhell
    import mwxml

    with path.open("rb") as file:
        return sum(
            len(mwparserfromhell.parse(revision.text or "").filter_templates())
            for page in mwxml.Dump.from_file(file)
            for revision in page
        )


def ijson_messages(path: Path) -> int:
    """ijson for the conversations, their messages counted."""
    import ijson

    with path.open("rb") as file:
        return sum(
            sum(node["message"] is not None for node in conversation["mapping"].values())
            for conversation in ijson.items(file, "item", use_float=True)
        )


MEASURES: Mapping[str, Callable[[Path], int]] = {
    each.__name__: each
    for each in (
        ours, reader_alone, pandas_csv, pyarrow_csv, csv_module, openpyxl_rows, calamine_rows, json_load, ijson_items,
        mwxml_listings, ijson_messages,
    )
}  # fmt: skip

if __name__ == "__main__":
    print_measure(MEASURES, sys.argv[1], Path(sys.argv[2]))

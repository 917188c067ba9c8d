"""Workbooks (XLSX, XLS, ODS): each sheet a table, its header the first row that fills most columns."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from tenant_pipeline.intake.readers.csv_table import unique_names
from tenant_pipeline.intake.readers.item import Item, Items, UnreadableError, text_of

HEADER_ROWS = 20


def read_workbook(stream: BinaryIO, encoding: str) -> Items:
    """Rows of all sheets, hidden ones too, as records."""
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(stream.read()))
    except PasswordError:
        raise UnreadableError("encrypted-workbook", "The workbook is encrypted; hand it in unencrypted.") from None
    except CalamineError:
        raise UnreadableError("broken-workbook", "The workbook cannot be opened.") from None
    for name in book.sheet_names:
        try:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        except CalamineError:
            continue
        yield from _sheet(name, [[_cell(value) for value in row] for row in rows])


def _sheet(name: str, rows: list[list[str | None]]) -> Items:
    filled = [sum(cell is not None for cell in row) for row in rows[:HEADER_ROWS]]
    widest = max(filled, default=0)
    if widest == 0:
        return
    first = next(position for position, count in enumerate(filled) if count * 2 > widest)
    header = unique_names([cell.strip() if cell else "" for cell in rows[first]])
    for position, row in enumerate(rows[first + 1 :], first + 2):
        if any(row):
            yield Item(name, f"sheet={name}&row={position}", dict(zip(header, row, strict=False)))


def _cell(value: Any) -> str | None:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return text_of(value)

"""Large XLSX workbooks, row by row: slower than loading a sheet whole, but its size does not matter.

Merged cells are written behind all rows and are therefore not known here: a merged cell counts for its first row only.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from tenant_pipeline.intake.archive import BROKEN
from tenant_pipeline.intake.readers.item import UnreadableError, text_of
from tenant_pipeline.intake.readers.tables_in_grid import Row

Sheet = tuple[str, bool, Iterator[tuple[int, Row]] | None]
"""A sheet's name, whether it is hidden, and its numbered rows: None where it cannot be read."""
LARGE_SHEET_BYTES = 64 * 1024 * 1024


def has_large_sheet(stream: BinaryIO) -> bool:
    """Whether a workbook is an XLSX with a sheet of more than 64 MiB of XML."""
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as package:
            return any(
                info.filename.startswith("xl/worksheets/") and info.file_size > LARGE_SHEET_BYTES
                for info in package.infolist()
            )
    except BROKEN:
        return False


def streamed_sheets(stream: BinaryIO) -> Iterator[Sheet]:
    """The sheets of an XLSX. Raises UnreadableError where it cannot be opened."""
    stream.seek(0)
    try:
        book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    except (*BROKEN, InvalidFileException, KeyError, RuntimeError, ParseError):
        raise UnreadableError("broken-workbook", "The workbook cannot be opened; save it anew.") from None
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what it says of its own size is not to be trusted
        yield sheet.title, sheet.sheet_state != "visible", _rows(sheet)


def _rows(sheet: Any) -> Iterator[tuple[int, Row]]:
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        yield number, [cell_text(value) for value in values]


def cell_text(value: Any) -> str | None:
    """A cell's value as text: dates and times in ISO 8601, a date without its midnight."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return text_of(value)

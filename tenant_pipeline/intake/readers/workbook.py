"""Workbooks (XLSX, XLSM, XLSB, XLS, ODS): each sheet a grid, its merged cells filled, hidden sheets named as such."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from tenant_pipeline.intake.readers.item import Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.tables_in_grid import Row, SpannedRow, grid_items
from tenant_pipeline.intake.readers.workbook_formulas import formulas_without_value
from tenant_pipeline.intake.readers.workbook_streamed import Sheet, cell_text, has_large_sheet, streamed_sheets

_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MERGED_CELLS = 200_000
"""Of a sheet's merged cells, so many are filled: beyond that, merging is decoration."""


def read_workbook(stream: BinaryIO, encoding: str) -> Items:
    """Rows of all sheets as records. A formula whose value was never stored is a problem at its cell."""
    sheets = streamed_sheets(stream) if has_large_sheet(stream) else _sheets(stream)
    for name, hidden, rows in sheets:
        if rows is None:
            yield Problem(f"sheet={name}", "broken-sheet", "The sheet cannot be read; save the workbook anew.")
            continue
        table = f"{name} (hidden)" if hidden else name
        yield from grid_items(rows, table, partial(_place, name), cells_may_shift=False)
    for sheet_name, cell in formulas_without_value(stream):
        yield Problem(
            f"sheet={sheet_name}&cell={cell}",
            "formula-without-value",
            "The cell holds a formula whose value was never stored; open and save the workbook in its program.",
        )


def _sheets(stream: BinaryIO) -> Iterator[Sheet]:
    stream.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(stream.read()))
    except PasswordError:
        raise UnreadableError("encrypted-workbook", "The workbook is encrypted; hand it in unencrypted.") from None
    except CalamineError:
        stream.seek(0)
        if stream.read(8) == _COMPOUND_FILE:
            raise UnreadableError(
                "encrypted-workbook",
                "It is an Office file of before 2007 that is no workbook, or encrypted; save it as DOCX, PPTX or PDF, "
                "without a password.",
            ) from None
        raise UnreadableError("broken-workbook", "The workbook cannot be opened; save it anew.") from None
    for about in book.sheets_metadata:
        if about.typ not in (SheetTypeEnum.WorkSheet, SheetTypeEnum.DialogSheet):
            continue
        hidden = about.visible is not SheetVisibleEnum.Visible
        try:
            sheet = book.get_sheet_by_name(about.name)
        except CalamineError:
            yield about.name, hidden, None
            continue
        yield about.name, hidden, _rows(sheet)


def _place(sheet: str, row: int) -> str:
    return f"sheet={sheet}&row={row}"


def _rows(sheet: CalamineSheet) -> Iterator[tuple[int, Row]]:
    if sheet.start is None:
        return
    first_row, first_column = sheet.start
    merged = _Merged(sheet.merged_cell_ranges or (), first_column)
    for number, values in enumerate(sheet.iter_rows(), 0):
        if number < first_row:  # rows above the first filled one
            continue
        yield number + 1, merged.filled(number, [cell_text(value) for value in values])


class _Merged:
    """Fills the cells that a merged one covers with its value, as a person reads them."""

    def __init__(self, ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]], first_column: int) -> None:
        self._by_row: dict[int, list[tuple[int, int, int]]] = {}
        cells = 0
        for (top, left), (bottom, right) in ranges:
            cells += (bottom - top + 1) * (right - left + 1)
            if cells > MERGED_CELLS:
                break
            for row in range(top, bottom + 1):
                self._by_row.setdefault(row, []).append((top, left - first_column, right - first_column))
        self._values: dict[tuple[int, int], str | None] = {}

    def filled(self, number: int, row: list[str | None]) -> Row:
        """The row with its merged cells filled; the rows come in their order."""
        merged = self._by_row.get(number)
        if not merged:
            return row
        covered: set[int] = set()
        for top, left, right in merged:
            if left < 0 or left >= len(row):
                continue
            if top == number:
                self._values[top, left] = row[left]
            value = self._values.get((top, left))
            columns = range(left, min(right + 1, len(row)))
            for position in columns:
                row[position] = value
            if value:
                covered.update(columns[1:])
        return SpannedRow(row, covered)

"""Tables of a page: each cell's visible text with its spans, rows of nested tables left to their own table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tenant_pipeline.intake.readers.html_text import is_hidden, one_line, visible_text
from tenant_pipeline.intake.readers.item import Item, Items, Problem
from tenant_pipeline.intake.readers.table_grid import Cell, Row, span, table_records

_ROW_GROUPS = ("thead", "tbody", "tfoot")


def page_tables(page: Any, title: str | None, place: str = "") -> Items:
    """The records of each table below an element; a hidden table is a problem. `place` begins each locator."""
    for number, table in enumerate(page.iter("table"), 1):
        at = f"{place}table={number}"
        if is_hidden(table) or any(is_hidden(each) for each in table.iterancestors()):
            yield Problem(at, "hidden-table", "The page hides this table from its readers; it was left out.")
            continue
        name = one_line(next(table.iterchildren("caption"), None)) or title or None
        for row, values in table_records(_rows(table), name):
            yield Item(f"table {number}", at if row is None else f"{at}&row={row}", values)


def _rows(table: Any) -> list[Row]:
    rows = ([_cell(cell) for cell in row if cell.tag in ("th", "td")] for row in _own_rows(table))
    return list(enumerate((cells for cells in rows if cells), 1))


def _own_rows(table: Any) -> Iterator[Any]:
    for part in table:
        if part.tag == "tr" and not is_hidden(part):
            yield part
        elif part.tag in _ROW_GROUPS and not is_hidden(part):
            yield from (row for row in part if row.tag == "tr" and not is_hidden(row))


def _cell(cell: Any) -> Cell:
    """A cell; what a table within it says is that table's."""
    text = visible_text(cell, leave_out=set(cell.iter("table"))).replace("\n", " ")
    parent = cell.getparent().getparent()
    heads = cell.tag == "th" or (parent is not None and parent.tag == "thead")
    return Cell(text, heads, span(cell.get("colspan")), span(cell.get("rowspan")))

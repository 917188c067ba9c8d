"""The markup of a Word document: paragraphs, tables and their cells, seen through revisions and content controls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tenant_pipeline.intake.readers.document_table import MOST_COLUMNS, Cell

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PARAGRAPH, TABLE, ROW, CELL = f"{W}p", f"{W}tbl", f"{W}tr", f"{W}tc"

_WRAPPERS = {f"{W}{name}" for name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag")}
_NOT_SAID = {f"{W}{name}" for name in ("del", "moveFrom", "pPr", "rPr", "instrText", "delText")} | {
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
}
_SPACES = {f"{W}tab": "\t", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}
_HEADING = re.compile(r"(?i)(heading|title|subtitle|หัวเรื่อง|标题)\s*\d*")


def parts_of(element: Any, *wanted: str) -> Iterator[Any]:
    """The children of these kinds, also those inside insertions and content controls."""
    for child in element:
        if child.tag in wanted:
            yield child
        elif child.tag in _WRAPPERS:
            yield from parts_of(child, *wanted)


def text_of_paragraph(paragraph: Any) -> str:
    """The text as it stands after all revisions, with that of text boxes, without that of fields' code."""
    return "".join(_said(paragraph)).strip()


def text_of_cell(cell: Any) -> str:
    """The text of a cell: its paragraphs, a line each; tables in it are read by themselves."""
    return "\n".join(filter(None, map(text_of_paragraph, parts_of(cell, PARAGRAPH))))


def text_of_story(story: Any) -> str:
    """The text of a header or a note, that of its tables included."""
    lines = []
    for block in parts_of(story, PARAGRAPH, TABLE):
        if block.tag == PARAGRAPH:
            lines.append(text_of_paragraph(block))
        else:
            lines += [text_of_story(cell) for row in parts_of(block, ROW) for cell in parts_of(row, CELL)]
    return "\n".join(filter(None, lines))


def is_heading(paragraph: Any, style_names: dict[str, str]) -> bool:
    """Whether the paragraph's style or its outline level makes it a heading."""
    level = paragraph.find(f"{W}pPr/{W}outlineLvl")
    if level is not None and level.get(f"{W}val", "9") in "012345678":
        return True
    style = paragraph.find(f"{W}pPr/{W}pStyle")
    if style is None:
        return False
    identifier = style.get(f"{W}val", "")
    return bool(_HEADING.fullmatch(style_names.get(identifier, identifier)))


def rows_of(table: Any) -> tuple[list[list[Cell]], int]:
    """The rows with their cells, and how many of them at the top repeat on every page as the header."""
    rows: list[list[Cell]] = []
    header_rows = 0
    for row in parts_of(table, ROW):
        if row.find(f"{W}trPr/{W}tblHeader") is not None and header_rows == len(rows):
            header_rows += 1
        before = _number(row.find(f"{W}trPr/{W}gridBefore"), 0)
        rows.append([Cell("")] * before + [_cell(cell) for cell in parts_of(row, CELL)])
    return rows, header_rows


def tables_inside(table: Any) -> Iterator[Any]:
    """The tables that stand in the cells of a table."""
    for row in parts_of(table, ROW):
        for cell in parts_of(row, CELL):
            yield from parts_of(cell, TABLE)


def _cell(cell: Any) -> Cell:
    merge = cell.find(f"{W}tcPr/{W}vMerge")
    goes_on = merge is not None and merge.get(f"{W}val", "continue") == "continue"
    return Cell(text_of_cell(cell), _number(cell.find(f"{W}tcPr/{W}gridSpan"), 1) or 1, goes_on)


def _number(element: Any, default: int) -> int:
    value = element.get(f"{W}val", "") if element is not None else ""
    return min(int(value), MOST_COLUMNS) if re.fullmatch(r"[0-9]{1,6}", value) else default


def _said(element: Any) -> Iterator[str]:
    children: Sequence[Any] = element
    for child in children:
        if child.tag == f"{W}t":
            yield child.text or ""
        elif child.tag in _SPACES:
            yield _SPACES[child.tag]
        elif child.tag not in _NOT_SAID and isinstance(child.tag, str):
            yield from _said(child)
            if child.tag == PARAGRAPH:
                yield "\n"

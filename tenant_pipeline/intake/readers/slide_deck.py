"""PPTX: each slide's text under its title, its notes, and its tables as records."""

from __future__ import annotations

import io
from collections.abc import Iterator, Set
from typing import Any, BinaryIO

import pptx

from tenant_pipeline.intake.readers.document_table import Cell, DocumentTable
from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items
from tenant_pipeline.intake.readers.parser_guard import refused_as
from tenant_pipeline.intake.readers.storable import storable

_REASON = "The presentation is damaged or not a PowerPoint file; open it and save it again as PPTX."


def looks_like_pptx(members: Set[str], path: str) -> bool:
    """Whether a package with these members is a presentation."""
    return "ppt/presentation.xml" in members


def read_pptx(stream: BinaryIO, encoding: str) -> Items:
    """The slides in their order. Raises UnreadableError for a package that is none or that is damaged."""
    with refused_as("broken-pptx", _REASON):
        for number, slide in enumerate(pptx.Presentation(io.BytesIO(stream.read())).slides, 1):
            yield from _slide(number, slide)


def _slide(number: int, slide: Any) -> Items:
    heading = slide.shapes.title
    title = _text(heading.text_frame.text) if heading is not None else ""
    lines: list[str] = []
    tables = 0
    for shape in _shapes(slide.shapes):
        if shape.has_text_frame:
            lines.append(_text(shape.text_frame.text))
        elif getattr(shape, "has_table", False) and shape.has_table:
            tables += 1
            table = DocumentTable([[*_row(row)] for row in shape.table.rows])
            lines.append(table.text)
            for row, values in table.records():
                yield Item(f"slide {number} table {tables}", f"slide={number}&table={tables}&row={row}", values)
    notes = _text(slide.notes_slide.notes_text_frame.text) if _has_notes(slide) else ""
    for place, text in ((f"slide={number}", "\n".join(filter(None, lines))), (f"slide={number}&part=notes", notes)):
        if text:
            values = {"title": title or None, "section": f"slide {number}", "text": text}
            yield Item("text", place, values, SEGMENTS)


def _shapes(shapes: Any) -> Iterator[Any]:
    """The shapes in their order, those inside groups too."""
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _row(row: Any) -> Iterator[Cell]:
    for cell in row.cells:
        if not cell._tc.hMerge:
            yield Cell(_text(cell.text), max(1, min(cell._tc.gridSpan, len(row.cells))), cell._tc.vMerge)


def _has_notes(slide: Any) -> bool:
    return slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None


def _text(text: str) -> str:
    """The text with its line breaks, which PowerPoint keeps as vertical tabs."""
    return storable(text.replace("\v", "\n")).strip()

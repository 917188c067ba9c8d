"""DOCX: the paragraphs as one segment under their title, the tables as records."""

from __future__ import annotations

import io
from typing import BinaryIO

import docx
from docx.table import Table

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items
from tenant_pipeline.intake.readers.tables_in_grid import unique_names


def read_docx(stream: BinaryIO, encoding: str) -> Items:
    """The text of body, headers and footers, then each table."""
    document = docx.Document(io.BytesIO(stream.read()))
    around = [
        paragraph.text
        for section in document.sections
        for part in (section.header, section.footer)
        for paragraph in part.paragraphs
    ]
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    text = "\n".join(text for text in (*paragraphs, *dict.fromkeys(around)) if text.strip())
    title = document.core_properties.title or next((text for text in paragraphs if text.strip()), None)
    author = document.core_properties.author or None
    values = {"title": title, "text": text or None, "author": author}
    if any(values.values()):
        yield Item("text", "paragraph=1", values, SEGMENTS)
    for number, table in enumerate(document.tables, 1):
        yield from _table(number, table)


def _table(number: int, table: Table) -> Items:
    rows = [[cell.text.strip() for cell in row.cells] for row in table.rows]
    if not rows:
        return
    header = unique_names(rows[0])
    for position, row in enumerate(rows[1:], 2):
        cells = {name: cell or None for name, cell in zip(header, row, strict=False)}
        if any(cells.values()):
            yield Item(f"table {number}", f"table={number}&row={position}", cells)

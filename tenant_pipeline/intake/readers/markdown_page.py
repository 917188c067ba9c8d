"""Markdown: the page as a segment of text, its tables as records."""

from __future__ import annotations

from typing import BinaryIO

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items
from tenant_pipeline.intake.readers.tables_in_text import markdown_tables


def read_markdown(stream: BinaryIO, encoding: str) -> Items:
    """The text with its first heading as the title, then each table."""
    text = stream.read().decode(encoding, errors="replace")
    title = next((line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("#")), None)
    if text.strip():
        yield Item("text", "line=1", {"title": title, "text": text.strip()}, SEGMENTS)
    for number, rows in enumerate(markdown_tables(text), 1):
        for line, cells in rows:
            yield Item(f"table {number}", f"table={number}&line={line}", cells)

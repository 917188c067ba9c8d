"""PDF: the text layer, a segment a page."""

from __future__ import annotations

import logging
from typing import BinaryIO

from pypdf import PdfReader
from pypdf.errors import PdfReadError

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, Problem, UnreadableError

logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def read_pdf(stream: BinaryIO, encoding: str) -> Items:
    """The pages' text. A page without a text layer is a problem: a scan needs reading by eye or by OCR."""
    try:
        reader = PdfReader(stream)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableError("encrypted-pdf", "The PDF is encrypted; hand it in without a password.")
        pages = len(reader.pages)
    except (PdfReadError, ValueError, KeyError, RecursionError, OSError):
        raise UnreadableError("broken-pdf", "The PDF cannot be opened.") from None
    title = reader.metadata.title if reader.metadata else None
    for number in range(1, pages + 1):
        text = reader.pages[number - 1].extract_text().strip()
        if text:
            yield Item("text", f"page={number}", {"title": title, "text": text, "section": f"page {number}"}, SEGMENTS)
        else:
            yield Problem(f"page={number}", "no-text-layer", "The page has no text layer: it is a picture.")

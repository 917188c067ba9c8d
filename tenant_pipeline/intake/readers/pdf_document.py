"""PDF: the text layer, a segment a page, and ruled tables as records."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, cast

import pdfplumber
from pdfminer.pdfdocument import PDFEncryptionError
from pdfplumber.utils.exceptions import PdfminerException

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.tables_in_grid import unique_names
from tenant_pipeline.intake.readers.thai_glyphs import anchor_marks, restore_thai, unwrap

MOST_LINES = 5_000
"""A page with more drawn lines is a plan or a map: looking for tables in it would take minutes and find none."""

_UNMAPPED = re.compile(r"\(cid:\d+\)")
_TEXT_SETTINGS = {"x_tolerance": 2, "y_tolerance": 3}

logging.getLogger("pdfminer").setLevel(logging.CRITICAL)
logging.getLogger("pdfplumber").setLevel(logging.CRITICAL)


def looks_like_pdf(text: str, path: str) -> bool:
    """Whether the mark of a PDF stands near the beginning."""
    return "%PDF-" in text[:1024]


def read_pdf(stream: BinaryIO, encoding: str) -> Items:
    """The pages' text, then their tables; a table that goes on under the same header stays one table.

    A page without a text layer is a problem: a scan needs reading by eye or by OCR. Raises UnreadableError for a PDF
    that is encrypted, cannot be opened, or has no text on any page.
    """
    document = _opened(stream)
    title = _title(document.metadata.get("Title"))
    tables = _Tables()
    found = 0
    for number, page in _pages(document):
        try:
            items = list(_page(number, page, title, tables))
        except MemoryError:
            raise
        except Exception:  # pdfminer meets damage inside a page with whatever error it stumbles into
            yield Problem(f"page={number}", "broken-page", "The page is damaged and cannot be read.")
            continue
        finally:
            page.close()
        found += sum(isinstance(item, Item) for item in items)
        yield from items
    if not found:
        raise UnreadableError(
            "no-text-layer", "No page has a text layer; run text recognition over the scan and hand it in again."
        )


def _opened(stream: BinaryIO) -> Any:
    try:
        return pdfplumber.open(cast(io.BufferedReader, stream), password="", raise_unicode_errors=False)
    except MemoryError:
        raise
    except PdfminerException as error:
        if error.args and isinstance(error.args[0], PDFEncryptionError):
            raise UnreadableError("encrypted-pdf", "The PDF is encrypted; hand it in without a password.") from None
        raise UnreadableError("broken-pdf", "The PDF cannot be opened.") from None
    except Exception:
        raise UnreadableError("broken-pdf", "The PDF cannot be opened.") from None


def _pages(document: Any) -> Iterator[tuple[int, Any]]:
    """The pages in order, each forgotten once it was read."""
    try:
        pages = list(document.pages)
        document.pages.clear()
    except MemoryError:
        raise
    except Exception:
        raise UnreadableError("broken-pdf", "The list of the PDF's pages is damaged.") from None
    if not pages:
        raise UnreadableError("broken-pdf", "The PDF has no page.")
    pages.reverse()
    number = 0
    while pages:
        number += 1
        yield number, pages.pop()


class _Tables:
    """The table that was last seen: its name and its header."""

    def __init__(self) -> None:
        self.name = ""
        self.header: list[str] = []


def _page(number: int, page: Any, title: str | None, tables: _Tables) -> Items:
    characters = page.chars
    if not characters:
        yield Problem(f"page={number}", "no-text-layer", "The page has no text layer: it is a picture or empty.")
        return
    unmapped = sum(bool(_UNMAPPED.fullmatch(character["text"])) for character in characters)
    if unmapped * 2 > len(characters):
        reason = "The page's font does not tell which letters it shows; the page needs text recognition."
        yield Problem(f"page={number}", "unmapped-text", reason)
        return
    anchor_marks(characters)
    text = _clean(page.extract_text(**_TEXT_SETTINGS))
    if not text:
        yield Problem(f"page={number}", "no-text-layer", "The page has no text layer: it is a picture or empty.")
        return
    yield Item("text", f"page={number}", {"title": title, "text": text, "section": f"page {number}"}, SEGMENTS)
    if len(page.edges) > MOST_LINES:
        yield Problem(f"page={number}", "too-many-lines", "The page's drawing is too dense to look for tables in it.")
        return
    found = 0
    for table in page.find_tables():
        rows = _rows(table)
        if len(rows) < 2 or len(rows[0]) < 2 or not any(rows[0]):
            continue
        found += 1
        yield from _records(number, found, rows, tables)


def _records(number: int, position: int, rows: Sequence[Sequence[str]], tables: _Tables) -> Items:
    header = unique_names(rows[0])
    if header != tables.header:
        tables.name, tables.header = f"page {number} table {position}", header
    for row, cells in enumerate(rows[1:], 2):
        if any(cells):
            values = {name: cell or None for name, cell in zip(header, cells, strict=True)}
            yield Item(tables.name, f"page={number}&table={position}&row={row}", values)


def _rows(table: Any) -> list[list[str]]:
    """The cells' text. A cell merged over rows is repeated in each, one merged over columns stands in its first."""
    texts = [[unwrap(_clean(cell or "")) for cell in row] for row in table.extract(**_TEXT_SETTINGS)]
    above: list[tuple[Any, str]] = [(None, "")] * max(map(len, texts), default=0)
    for row, cells in zip(table.rows, texts, strict=True):
        for column, box in enumerate(row.cells):
            over, text = above[column]
            if box is not None:
                above[column] = (box, cells[column])
            elif over is not None and over[3] > row.bbox[1] + 1:
                cells[column] = text
    return texts


def _clean(text: str) -> str:
    text = _UNMAPPED.sub("\ufffd", restore_thai(text)).replace("\0", "")
    return text.encode("utf-8", errors="replace").decode("utf-8").strip()


def _title(title: Any) -> str | None:
    return _clean(title) or None if isinstance(title, str) else None

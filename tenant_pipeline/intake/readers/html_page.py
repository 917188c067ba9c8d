"""HTML: the page's text as a segment, its tables as records; a two-column table of headings is one record."""

from __future__ import annotations

from typing import BinaryIO

from lxml import etree, html

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, UnreadableError
from tenant_pipeline.intake.readers.tables_in_grid import unique_names

_NOT_TEXT = ("script", "style", "noscript", "template")


def read_html(stream: BinaryIO, encoding: str) -> Items:
    """The text under the page's title, then each table."""
    parser = html.HTMLParser(encoding=encoding, no_network=True, huge_tree=False)
    try:
        page = html.parse(stream, parser).getroot()
    except (etree.ParserError, etree.XMLSyntaxError, AssertionError):
        page = None
    if page is None:
        raise UnreadableError("broken-html", "The page cannot be parsed.")
    etree.strip_elements(page, *_NOT_TEXT, with_tail=False)
    title = _text(page.find(".//title")) or _text(page.find(".//h1"))
    text = _text(page.find("body") if page.find("body") is not None else page)
    if text:
        yield Item("text", "page=1", {"title": title or None, "text": text}, SEGMENTS)
    for number, table in enumerate(page.iter("table"), 1):
        yield from _table(number, table, title)


def _table(number: int, table: html.HtmlElement, title: str) -> Items:
    rows = [[cell for cell in row if cell.tag in ("th", "td")] for row in table.iter("tr")]
    rows = [row for row in rows if row]
    if not rows:
        return
    if all(len(row) == 2 and row[0].tag == "th" and row[1].tag == "td" for row in rows):
        values: dict[str, str | None] = {"name": _text(table.find("caption")) or title or None}
        values.update(
            {_text(row[0]) or f"row {position}": _text(row[1]) or None for position, row in enumerate(rows, 1)}
        )
        yield Item(f"table {number}", f"table={number}", values)
        return
    header = unique_names([_text(cell) for cell in rows[0]])
    for position, row in enumerate(rows[1:], 2):
        cells = {name: _text(cell) or None for name, cell in zip(header, row, strict=False)}
        if any(cells.values()):
            yield Item(f"table {number}", f"table={number}&row={position}", cells)


def _text(element: html.HtmlElement | None) -> str:
    return " ".join("".join(element.itertext()).split()) if element is not None else ""

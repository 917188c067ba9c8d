"""HTML of an assistant's answer as Markdown: enough of it that lists and tables stay what they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree, html

from tenant_pipeline.intake.readers.chat_citation import Citation

_BLOCKS = frozenset({"p", "div", "ul", "ol", "section", "article", "blockquote", "pre", "table", "hr", "header"})
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_NOT_TEXT = frozenset({"script", "style", "noscript", "template"})
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def parsed_fragment(markup: str) -> html.HtmlElement | None:
    """A fragment of HTML as an element; None where there is nothing in it."""
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True)
    try:
        return html.fromstring(f"<div>{markup}</div>".encode(errors="replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError):
        return None


def markdown_of(nodes: Iterable[Any]) -> str:
    """Texts and elements as Markdown text."""
    text = "".join(piece for node in nodes for piece in _pieces(node))
    return _BLANK_LINES.sub("\n\n", text.replace("\xa0", " ")).strip()


def links_in(nodes: Iterable[Any]) -> Iterator[Citation]:
    """The links in texts and elements, titled by their own text."""
    for node in nodes:
        if not isinstance(node, str):
            for link in node.iter("a"):
                yield Citation(link.get("href"), " ".join("".join(link.itertext()).split()))


def _pieces(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield re.sub(r"[ \t\r\n]+", " ", node)
        return
    tag = node.tag
    if not isinstance(tag, str) or tag in _NOT_TEXT:
        return
    if tag == "br":
        yield "\n"
    elif tag == "table":
        yield from _table(node)
    elif tag == "pre":
        yield "\n\n" + "".join(node.itertext()) + "\n\n"
    elif tag in _HEADINGS:
        yield f"\n\n{_HEADINGS[tag]} "
        yield from _inside(node)
        yield "\n\n"
    elif tag == "li":
        yield "\n- "
        yield from _inside(node)
    else:
        edge = "\n\n" if tag in _BLOCKS else ""
        yield edge
        yield from _inside(node)
        yield edge


def _inside(element: Any) -> Iterator[str]:
    if element.text:
        yield from _pieces(element.text)
    for child in element:
        yield from _pieces(child)
        if child.tail:
            yield from _pieces(child.tail)


def _table(table: Any) -> Iterator[str]:
    rows = [[_cell(cell) for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
    rows = [row for row in rows if row]
    yield "\n\n"
    for number, row in enumerate(rows):
        yield "| " + " | ".join(row) + " |\n"
        if number == 0:
            yield "|" + "---|" * len(row) + "\n"
    yield "\n"


def _cell(cell: Any) -> str:
    return " ".join("".join(cell.itertext()).split()).replace("|", "\\|")

"""Wikitext: listings, infoboxes and tables as records, the prose of each section as a segment."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

import mwparserfromhell
from mwparserfromhell.nodes import Heading, Node, Tag, Template
from mwparserfromhell.parser import ParserError
from mwparserfromhell.wikicode import Wikicode

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.table_grid import table_records
from tenant_pipeline.intake.readers.wikitext_tables import wiki_table
from tenant_pipeline.intake.readers.wikitext_templates import told_by
from tenant_pipeline.intake.readers.wikitext_text import is_layout, nodes_plain, plain
from tenant_pipeline.intake.text_encoding import text_of_bytes

LONGEST_PAGE = 2 * 1024 * 1024
"""MediaWiki itself keeps no longer page."""
MOST_LEFT_OPEN = 300
MOST_LOOKED_THROUGH = 50_000_000
"""The parser looks through the rest of the page for the end of each link and tag: so many left open keep it busy."""
LONGEST_TABLE_NAME = 120

_BRACKET = re.compile(
    r"<(?P<ends>/?)(?P<tag>[a-z][a-z0-9]*)[^<>]*(?P<over>>)?|<!--|-->|\[\[|\]\]|\{\{|\}\}|\[(?=\S*//)|\]"
    r"|(?<![^\n :*#;])(?:\{\||\|\})",
    re.IGNORECASE,
)
_CLOSE_THEMSELVES = {"br", "hr", "wbr", "img", "li", "dd", "dt", "td", "th", "tr"}
_CLOSED_BY = {"[[": "]]", "{{": "}}", "[": "]", "<!--": "-->", "{|": "|}"}
_HEADING = re.compile(r"^(={1,6})[^=\n].*?\1[ \t]*\r?$", re.MULTILINE)
_MARKS = (
    re.compile(r"\[\[[^\[\]\n]+\]\]"),
    re.compile(r"\{\{[^{}|\n]{1,80}\s*\|"),
    re.compile(r"^\{\|", re.MULTILINE),
    re.compile(r"'''[^'\n]+'''"),
    re.compile(r"<ref[ >]"),
)
_LISTING = re.compile(
    r"\{\{\s*(?:listing|see|do|buy|eat|drink|sleep|go|vicinity|infobox[^|]*|กล่องข้อมูล[^|]*|ดู|ทำ|ซื้อ|กิน|ดื่ม|นอน|"
    r"景点|活动|购物|饮食|住宿)\s*\|[^{}]*?\b[^\W\d]+\s*=",
    re.IGNORECASE,
)


def looks_like_wikitext(text: str, path: str) -> bool:
    """Whether a listing template stands in the text, or headings, links and templates as wikitext writes them."""
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] == "<" or (start[:1] == "{" and start[:2] not in ("{{", "{|")):
        return False
    marks = sum(mark.search(text) is not None for mark in _MARKS)
    if path.casefold().endswith((".wiki", ".mediawiki", ".wikitext")):
        return marks > 0 or _HEADING.search(text) is not None
    if start[:1] == "[" and start[:2] != "[[":
        return False
    return _LISTING.search(text) is not None or (_HEADING.search(text) is not None and marks >= 2)


def read_wikitext(stream: BinaryIO, encoding: str) -> Items:
    """One page of wikitext without a title of its own. Raises UnreadableError where it is too long or too tangled."""
    found = page_items(text_of_bytes(stream.read(), encoding), None, "", {})
    for item in found:
        if isinstance(item, Problem):
            raise UnreadableError(item.code, item.reason)
        yield item


def page_items(text: str, title: str | None, place: str, about: dict[str, str | None]) -> Items:
    """What a page holds. `place` begins each locator, `about` is added to each segment.

    A page that cannot be parsed is a Problem.
    """
    if len(text) > LONGEST_PAGE:
        yield Problem(place, "page-too-long", "The page is longer than a wiki keeps; split it.")
        return
    if _is_tangled(text):
        yield Problem(place, "tangled-page", "The page opens far more links or tags than it closes.")
        return
    try:
        code = mwparserfromhell.parse(text.replace("\0", ""), skip_style_tags=True)
    except (ParserError, RecursionError):
        yield Problem(place, "broken-page", "The page's wikitext cannot be parsed.")
        return
    yield from _listings(code, title, place)
    if "{|" in text or "<table" in text.casefold():
        yield from _tables(code, place)
    for number, path, nodes in _sections(code):
        said = nodes_plain(nodes)
        if said:
            values = {"title": title or path or None, "text": said, "section": path or None, **about}
            yield Item("text", _at(place, f"section={number}"), values, SEGMENTS)


def _is_tangled(text: str) -> bool:
    """Whether more links, templates and tags are opened and never closed than the parser can look for."""
    closing: Counter[str] = Counter()
    left_open = 0
    for mark in reversed(list(_BRACKET.finditer(text))):
        bracket, tag = mark.group(), (mark["tag"] or "").casefold()
        if bracket in _CLOSED_BY.values():
            closing[bracket] += 1
        elif mark["ends"]:
            closing[tag] += 1
        elif tag and mark["over"] and (bracket.endswith("/>") or tag in _CLOSE_THEMSELVES):
            continue
        else:
            end = tag if mark["over"] else _CLOSED_BY.get(bracket, "")
            left_open += closing[end] == 0
            closing[end] = max(0, closing[end] - 1)
    return left_open > MOST_LEFT_OPEN or left_open * len(text) > MOST_LOOKED_THROUGH


def _listings(code: Wikicode, title: str | None, place: str) -> Iterator[Item]:
    number = 0
    for template in code.ifilter(recursive=True, forcetype=Template):
        told = told_by(template, title)
        if told is not None:
            number += 1
            values = {**told.values, "page": title} if title and told.values.get("name") != title else told.values
            yield Item(told.table, _at(place, f"listing={number}"), values)


def _tables(code: Wikicode, place: str) -> Iterator[Item]:
    number = 0
    for tag in code.ifilter(recursive=True, forcetype=Tag):
        if str(tag.tag).strip().casefold() != "table" or is_layout(tag):
            continue
        number += 1
        caption, rows = wiki_table(tag)
        for row, values in table_records(rows, caption):
            table = f"table of {', '.join(values)}"[:LONGEST_TABLE_NAME]
            locator = f"table={number}" if row is None else f"table={number}&row={row}"
            yield Item(table, _at(place, locator), values)


def _sections(code: Wikicode) -> Iterator[tuple[int, str, list[Node]]]:
    """Each section's number from 0, the headings it is under, and its nodes."""
    number, path, nodes = 0, "", list[Node]()
    above: list[tuple[int, str]] = []
    for node in code.nodes:
        if not isinstance(node, Heading):
            nodes.append(node)
            continue
        yield number, path, nodes
        above = [*((level, name) for level, name in above if level < node.level), (node.level, plain(node.title))]
        number, path, nodes = number + 1, " / ".join(name for _, name in above if name), []
    yield number, path, nodes


def _at(place: str, within: str) -> str:
    return f"{place}&{within}" if place else within

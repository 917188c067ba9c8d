"""MediaWiki's XML dump: page by page, the last revision of each article; talk, users and redirects are counted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.item import Item, Items, Problem
from tenant_pipeline.intake.readers.wikitext import page_items
from tenant_pipeline.intake.readers.xml_elements import (
    BrokenXmlError,
    child,
    child_text,
    elements,
    local_name,
    root_name,
)

MOST_TABLES = 200
MOST_FIELDS_A_TABLE = 400
FURTHER = "further parameters"

_REDIRECT = re.compile(r"\s*#\s*(?:redirect|เปลี่ยนทาง|重定向)", re.IGNORECASE)
_FIRST_OWN_NAMESPACE = 100
_OWN_BUT_NO_ARTICLES = {100, 118, 710, 828, 2300, 2302}
"""Portals, drafts, subtitles, modules and gadgets, as the Wikimedia wikis number them."""


def looks_like_mediawiki_dump(text: str, path: str) -> bool:
    """Whether the text is XML whose root is MediaWiki's export."""
    return root_name(text[:4000]) == "mediawiki"


def read_mediawiki_dump(stream: BinaryIO, encoding: str) -> Items:
    """Each article's listings, tables and sections. Raises UnreadableError where the XML breaks before any page."""
    kinds = _Kinds()
    spaces: dict[str, int] = {}
    page = _Page()
    try:
        for element in elements(stream, ("namespace", "revision", "page")):
            name = local_name(element)
            if name == "namespace":
                spaces[(element.text or "").casefold()] = _number(element.get("key"))
            elif name == "revision":
                page.keep(element)
            else:
                for item in _page_items(element, page, spaces):
                    yield kinds.bounded(item) if isinstance(item, Item) else item
                page = _Page()
    except BrokenXmlError as broken:
        yield Problem(f"line={broken.line}", "broken-xml", "The dump breaks off here; what stood before was read.")


@dataclass
class _Page:
    """The last revision seen of the page being read: only that one is held."""

    text: str = ""
    timestamp: str = ""

    def keep(self, revision: Any) -> None:
        timestamp = child_text(revision, "timestamp") or ""
        if timestamp >= self.timestamp:
            text = child(revision, "text")
            self.text, self.timestamp = "" if text is None else "".join(text.itertext()), timestamp


def _page_items(element: Any, page: _Page, spaces: dict[str, int]) -> Items:
    title, number = child_text(element, "title"), child_text(element, "id")
    place = f"page={number}" if number else f"line={element.sourceline}"
    said = child_text(element, "ns")
    prefix = (title or "").partition(":")[0].casefold() if ":" in (title or "") else ""
    space = _number(said) if said else spaces.get(prefix, 0)
    if child(element, "redirect") is not None or _REDIRECT.match(page.text):
        yield Problem(place, "not-an-article", "The page only leads on to another page.")
    elif space and (space % 2 or space < _FIRST_OWN_NAMESPACE or space in _OWN_BUT_NO_ARTICLES):
        yield Problem(place, "not-an-article", "The page is talk, a user's, a file's, a template or the like.")
    else:
        yield from page_items(page.text, title, place, {"modified": page.timestamp or None})


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,6}", text) else 0


@dataclass
class _Kinds:
    """The tables met so far and their fields: a wiki's templates know no bounds, the tables of one object do."""

    known: dict[str, set[str]] = field(default_factory=dict)

    def bounded(self, item: Item) -> Item | Problem:
        """The item, its rarest fields folded into one; a problem where its table would be one too many."""
        if item.table not in self.known and len(self.known) >= MOST_TABLES:
            return Problem(
                item.locator, "too-many-tables", "The wiki has more kinds of tables and templates than are kept apart."
            )
        fields = self.known.setdefault(item.table, set())
        values: dict[str, str | None] = {}
        further = []
        for name, value in item.values.items():
            if name in fields or len(fields) < MOST_FIELDS_A_TABLE:
                fields.add(name)
                values[name] = value
            elif value is not None:
                further.append(f"{name}: {value}")
        if further:
            values[FURTHER] = "; ".join(further)
        return Item(item.table, item.locator, values, item.shape)

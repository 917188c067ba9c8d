"""NewsML-G2: each news item with text a segment, with its id, headline, dates, byline, places and subjects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree

from tenant_pipeline.intake.readers.html_text import visible_text
from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.xml_elements import (
    BrokenXmlError,
    child,
    child_text,
    elements,
    local_name,
    root_name,
)

_ITEMS = ("newsItem", "packageItem", "knowledgeItem", "conceptItem", "planningItem", "catalogItem")
_BODIES = ("body.content", "body")


def looks_like_newsml_g2(text: str, path: str) -> bool:
    """Whether the text is XML of IPTC's news architecture: a message or an item."""
    return "iptc.org/std/nar/" in text[:8000] and root_name(text[:8000]) in ("newsMessage", *_ITEMS)


def read_newsml_g2(stream: BinaryIO, encoding: str) -> Items:
    """Each item's text. Pictures, packages and the like are problems; an XML without an item is unreadable."""
    number = 0
    try:
        for number, element in enumerate(elements(stream, _ITEMS), 1):
            yield _item(element, f"item={number}")
    except BrokenXmlError as broken:
        yield Problem(f"line={broken.line}", "broken-xml", "The message breaks off here; what stood before was read.")
    if not number:
        raise UnreadableError("no-news-item", "The message holds no news item.")


def _item(element: Any, locator: str) -> Item | Problem:
    text = "\n\n".join(filter(None, map(_text, _contents(element))))
    if local_name(element) != "newsItem" or not text:
        return Problem(locator, "no-text", "The item is a picture, a package or the like: it holds no text.")
    meta = child(element, "contentMeta")
    guid = (element.get("guid") or "").strip()
    values = {
        "guid": guid or None,
        "title": _first(meta, "headline") or child_text(element, "itemMeta", "title"),
        "text": text,
        "published": _first(meta, "contentCreated") or child_text(element, "itemMeta", "versionCreated"),
        "author": _first(meta, "by") or _names(meta, ("creator",)),
        "location": _names(meta, ("located",)),
        "keywords": _names(meta, ("subject", "keyword")),
        "description": _first(meta, "description"),
        "language": _language(element, meta),
        "url": guid if guid.startswith(("http://", "https://")) else None,
    }
    return Item("news", locator, values, SEGMENTS)


def _contents(element: Any) -> Iterator[Any]:
    """What the item is made of: inline XML, or inline data that is text."""
    for each in child(element, "contentSet") if child(element, "contentSet") is not None else ():
        kind = each.get("contenttype") or ""
        if local_name(each) == "inlineXML" or (local_name(each) == "inlineData" and kind.startswith("text/")):
            yield each


def _text(content: Any) -> str:
    """The text of a body: of XHTML, NITF or plain data; headings of its own head are left to the item's headline."""
    for each in content.iter(etree.Element):
        each.tag = local_name(each)
    bodies = [next(content.iter(name), None) for name in _BODIES]
    return visible_text(next((body for body in bodies if body is not None), content))


def _first(meta: Any, name: str) -> str | None:
    return child_text(meta, name) if meta is not None else None


def _names(meta: Any, names: tuple[str, ...]) -> str | None:
    """The names of concepts or what stands in them, each once."""
    found: dict[str, None] = {}
    for each in meta if meta is not None else ():
        if local_name(each) in names:
            name = child_text(each, "name") or " ".join("".join(each.itertext()).split()) or each.get("literal")
            if name:
                found[name] = None
    return "; ".join(found) or None


def _language(element: Any, meta: Any) -> str | None:
    told = child(meta, "language") if meta is not None else None
    said = told.get("tag") if told is not None else element.get("{http://www.w3.org/XML/1998/namespace}lang")
    return str(said) if said else None

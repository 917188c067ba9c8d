"""RSS 2.0, RSS 1.0 and Atom: each entry a segment, with its id, and its place and categories where it tells them."""

from __future__ import annotations

import re
from typing import Any, BinaryIO
from xml.sax import SAXParseException

import feedparser
from lxml import etree, html

from tenant_pipeline.intake.readers.html_text import visible_text
from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, Problem, UnreadableError, text_of
from tenant_pipeline.intake.readers.xml_elements import root_name

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def looks_like_feed(text: str, path: str) -> bool:
    """Whether the text is XML whose root is a feed's."""
    return root_name(text[:4000]).casefold() in ("rss", "feed", "rdf")


def read_feed(stream: BinaryIO, encoding: str) -> Items:
    """The entries in their order, markup taken off their text; a break in the XML is a problem after what was read."""
    try:
        feed = feedparser.parse(stream, sanitize_html=True)
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError, RecursionError):
        raise UnreadableError("broken-feed", "The feed cannot be parsed; export it again.") from None
    if not feed.entries:
        raise UnreadableError("empty-feed", "The feed has no entry.")
    for number, entry in enumerate(feed.entries, 1):
        values = _entry(entry)
        if values["text"]:
            yield Item("entries", f"item={number}", values, SEGMENTS)
        else:
            yield Problem(f"item={number}", "no-text", "The entry has neither a title nor a text.")
    broken = feed.get("bozo_exception")
    if isinstance(broken, SAXParseException):
        place = f"line={broken.getLineNumber()}"
        yield Problem(place, "broken-xml", "The feed's XML breaks here; entries after it may be missing or garbled.")


def _entry(entry: Any) -> dict[str, str | None]:
    content = entry["content"][0].get("value") if entry.get("content") else entry.get("summary")
    title = _plain(entry.get("title") or "").replace("\n", " ") or None
    latitude, longitude = _place(entry)
    words = (tag.get("label") or tag.get("term") for tag in entry.get("tags") or ())
    values = {
        "guid": entry.get("id") or None,
        "title": title,
        "text": _plain(content or "") or title,
        "url": entry.get("link") or None,
        "published": entry.get("published") or entry.get("updated") or None,
        "author": entry.get("author") or None,
    }
    more = {
        "keywords": "; ".join(dict.fromkeys(word for word in words if word)) or None,
        "latitude": latitude,
        "longitude": longitude,
    }
    return {**values, **{name: value for name, value in more.items() if value is not None}}


def _place(entry: Any) -> tuple[str | None, str | None]:
    """Where the entry is: a point of GeoRSS, or W3C's latitude and longitude."""
    where = entry.get("where") or {}
    point = where.get("coordinates")
    if where.get("type") == "Point" and isinstance(point, tuple | list) and len(point) >= 2:
        return text_of(point[1]), text_of(point[0])
    latitude, longitude = entry.get("geo_lat"), entry.get("geo_long")
    return (text_of(latitude), text_of(longitude)) if latitude and longitude else (None, None)


def _plain(markup: str) -> str:
    markup = _NOT_XML.sub("", markup)
    if not markup.strip():
        return ""
    try:
        return visible_text(html.fragment_fromstring(markup, create_parent="div"))
    except (etree.LxmlError, ValueError, AssertionError):
        return re.sub(r"<[^<>]*>", " ", markup).strip()

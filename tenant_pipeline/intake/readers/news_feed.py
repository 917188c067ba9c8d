"""RSS and Atom: each entry a segment."""

from __future__ import annotations

from typing import BinaryIO

import feedparser
from lxml import html

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, UnreadableError


def read_feed(stream: BinaryIO, encoding: str) -> Items:
    """The entries in their order, markup taken off their text."""
    feed = feedparser.parse(stream.read(), sanitize_html=True)
    if not feed.entries:
        raise UnreadableError("empty-feed", "The feed has no entry.")
    for number, entry in enumerate(feed.entries, 1):
        content = entry["content"][0]["value"] if entry.get("content") else entry.get("summary", "")
        values = {
            "title": entry.get("title") or None,
            "text": _plain(content) or entry.get("title") or None,
            "url": entry.get("link") or None,
            "published": entry.get("published") or entry.get("updated") or None,
            "author": entry.get("author") or None,
        }
        yield Item("entries", f"item={number}", values, SEGMENTS)


def _plain(markup: str) -> str:
    if not markup.strip():
        return ""
    return " ".join(html.fromstring(f"<div>{markup}</div>").text_content().split())

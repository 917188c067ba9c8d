"""Gemini in Google's My Activity as JSON: a list of entries, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO
from urllib.parse import parse_qs, urlsplit

from tenant_pipeline.intake.readers.chat_attachment import Attachment
from tenant_pipeline.intake.readers.chat_citation import Citation
from tenant_pipeline.intake.readers.chat_json import as_list, as_map, as_text, json_elements
from tenant_pipeline.intake.readers.gemini_entry import Entry
from tenant_pipeline.intake.readers.markup_text import links_in, markdown_of, parsed_fragment


def activity_entries(stream: BinaryIO, encoding: str) -> Iterator[Entry]:
    """The entries, numbered from 0. Raises UnreadableError where the file is no whole JSON."""
    for position, element in enumerate(json_elements(stream, encoding)):
        yield _entry(str(position), as_map(element))


def without_redirect(url: str | None) -> str | None:
    """The page that a link of Google's leads to; any other link as it is."""
    if url is None or "google." not in url[:40]:
        return url
    try:
        parts = urlsplit(url)
        target = parse_qs(parts.query).get("q", []) if parts.path == "/url" else []
    except ValueError:
        return url
    return target[0] if target else url


def _entry(identifier: str, entry: Mapping[str, Any]) -> Entry:
    products = (as_text(entry.get("header")), *map(as_text, as_list(entry.get("products"))))
    fragments = [parsed_fragment(markup) for markup in _markups(entry)]
    nodes = [fragment for fragment in fragments if fragment is not None]
    links = [Citation(without_redirect(link.url), link.title) for link in links_in(nodes)]
    return Entry(
        identifier=identifier,
        products=tuple(product for product in products if product),
        title=as_text(entry.get("title")) or "",
        created=_in_utc(as_text(entry.get("time"))),
        answer=markdown_of(nodes),
        attachments=tuple(_attachments(entry)),
        citations=tuple(links),
    )


def _markups(entry: Mapping[str, Any]) -> Iterator[str]:
    items = entry.get("safeHtmlItem")
    for each in [items] if isinstance(items, dict) else as_list(items):
        markup = as_text(as_map(each).get("html"))
        if markup:
            yield markup


def _attachments(entry: Mapping[str, Any]) -> Iterator[Attachment]:
    for name in (*as_list(entry.get("attachedFiles")), entry.get("imageFile")):
        yield Attachment(name)
    for each in as_list(entry.get("subtitles")):
        subtitle = as_map(each)
        if as_text(subtitle.get("url")):
            yield Attachment((as_text(subtitle.get("name")) or "").lstrip("-–• ") or subtitle.get("url"))


def _in_utc(time: str | None) -> str | None:
    try:
        at = datetime.fromisoformat(time or "")
        return at.astimezone(UTC).isoformat() if at.tzinfo is not None else at.isoformat()
    except (ValueError, OverflowError):
        return None

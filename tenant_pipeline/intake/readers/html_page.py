"""HTML: the page's text as a segment, its JSON-LD and tables as records; labels beside values are one record."""

from __future__ import annotations

from typing import Any, BinaryIO

from lxml import etree, html

from tenant_pipeline.intake.readers.html_tables import page_tables
from tenant_pipeline.intake.readers.html_text import one_line, visible_text
from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, UnreadableError
from tenant_pipeline.intake.readers.json_ld import json_ld
from tenant_pipeline.intake.text_encoding import as_utf8

_META = {
    "title": ("og:title", "twitter:title"),
    "published": ("article:published_time", "og:published_time", "datepublished", "pubdate", "dc.date", "date"),
    "author": ("article:author", "author", "dc.creator"),
    "url": ("og:url",),
    "keywords": ("article:tag", "news_keywords", "keywords"),
}
_ARTICLE_MARKS = ("article:published_time", "og:published_time", "datepublished", "pubdate")


def read_html(stream: BinaryIO, encoding: str) -> Items:
    """The text under the page's title, with an article's date and author, then what JSON-LD tells, then each table."""
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    try:
        page = html.parse(as_utf8(stream, encoding), parser).getroot()
    except (etree.LxmlError, AssertionError):
        page = None
    if page is None:
        raise UnreadableError("broken-html", "The page cannot be parsed.")
    title = one_line(page.find(".//title")) or one_line(page.find(".//h1"))
    told = json_ld(page)
    text = visible_text(page.find("body") if page.find("body") is not None else page)
    if text:
        about = _about(page, told.article)
        yield Item("text", "page=1", {"title": title or None, "text": text, **about}, SEGMENTS)
    yield from told.found
    yield from page_tables(page, title)


def _about(page: Any, article: dict[str, str | None]) -> dict[str, str | None]:
    """An article's headline, date, author, address and keywords, from JSON-LD first; nothing for another page."""
    metas: dict[str, list[str]] = {}
    for meta in page.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").casefold()
        said = " ".join((meta.get("content") or "").split())
        if name and said:
            metas.setdefault(name, []).append(said)
    kind = metas.get("og:type", [""])[0].casefold()
    if not article and kind != "article" and not any(mark in metas for mark in _ARTICLE_MARKS):
        return {}
    about: dict[str, str | None] = {}
    for field, names in _META.items():
        from_meta = next((metas[name] for name in names if name in metas), [])
        kept = from_meta if field in ("author", "keywords") else from_meta[:1]
        value = article.get(field) or "; ".join(dict.fromkeys(kept)) or None
        if value is not None:
            about[field] = value
    return about

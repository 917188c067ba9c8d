"""Pages of a Confluence space: the HTML export's page, and the storage format that the XML export keeps."""

from __future__ import annotations

import html as entities
import re
from typing import Any, BinaryIO

from lxml import etree, html

from tenant_pipeline.intake.readers.html_tables import page_tables
from tenant_pipeline.intake.readers.html_text import one_line, visible_text
from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, UnreadableError
from tenant_pipeline.intake.text_encoding import as_utf8

_AC, _RI = "urn:storage:ac", "urn:storage:ri"
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z][A-Za-z0-9]{1,31};")
_NOT_SHOWN = {"parameter", "image", "emoticon", "placeholder", "task-id", "task-uuid", "task-status", "inline-comment"}
_WITHIN_LINES = {"link", "link-body", "plain-text-link-body", "inline-comment-marker"}


def looks_like_confluence_page(text: str, path: str) -> bool:
    """Whether the text is a page of an HTML space export: its content has a place and its breadcrumbs or metadata."""
    return re.search(r"id=[\"']main-content[\"']", text) is not None and any(
        mark in text for mark in ('id="breadcrumb-section"', 'id="breadcrumbs"', 'class="page-metadata"')
    )


def read_confluence_page(stream: BinaryIO, encoding: str) -> Items:
    """The page's text and tables; who wrote it, its attachments and the export's own links are left out."""
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    try:
        page = html.parse(as_utf8(stream, encoding), parser).getroot()
    except (etree.LxmlError, AssertionError):
        page = None
    content = page.xpath("//*[@id='main-content']") if page is not None else []
    if not content:
        raise UnreadableError("no-content", "The page has no content where Confluence puts it; export it again.")
    whole = one_line(next(page.iter("title"), None))
    space, parted, title = whole.partition(" : ")
    crumbs = [one_line(crumb) for crumb in page.xpath("//*[@id='breadcrumbs']//li")]
    section = " / ".join(crumb for crumb in crumbs if crumb) or (space if parted else "")
    yield from content_items(content[0], (title if parted else whole) or None, section or None, "")


def content_items(content: Any, title: str | None, section: str | None, place: str) -> Items:
    """The text of a page's content without its tables of records, then those; `place` begins each locator."""
    tables = {table for table in content.iter("table") if sum(1 for _ in table.iter("tr")) > 1}
    text = visible_text(content, leave_out=tables)
    if text:
        values = {"title": title, "text": text, "section": section}
        yield Item("text", place.rstrip("&") or "page=1", values, SEGMENTS)
    yield from page_tables(content, title, place)


def storage_format(body: str) -> Any:
    """A page's storage format as an element, its macros' settings and references taken off; None for nothing."""
    body = _ENTITY.sub(lambda entity: entities.escape(entities.unescape(entity.group()), quote=False), body)
    body = body.replace("]] >", "]]>")
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    wrapped = f'<div xmlns:ac="{_AC}" xmlns:ri="{_RI}">{_speakable(body)}</div>'
    try:
        content = etree.fromstring(wrapped.encode(), parser)
    except etree.XMLSyntaxError:
        return None
    if content is None:
        return None
    for element in list(content.iter(f"{{{_AC}}}*", f"{{{_RI}}}*")):
        name = etree.QName(element)
        label = element.getnext()
        if name.namespace == _RI and (label is None or "body" not in str(label.tag)):
            element.text = element.get(f"{{{_RI}}}content-title")
        if name.namespace == _AC and name.localname in _NOT_SHOWN:
            _take_off(element)
        else:
            element.tag = "span" if name.namespace == _RI or name.localname in _WITHIN_LINES else "div"
    return content


def _take_off(element: Any) -> None:
    """Remove an element and leave what follows it."""
    tail = element.tail
    element.clear()
    element.tag, element.tail = "span", tail


def _speakable(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)

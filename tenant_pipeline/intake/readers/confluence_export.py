"""A Confluence space's XML export (`entities.xml`): its current pages, their bodies in storage format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.confluence_page import content_items, storage_format
from tenant_pipeline.intake.readers.item import Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.xml_elements import BrokenXmlError, child_text, elements, root_name

_PAGES = ("Page", "BlogPost")
_DEEPEST = 50


@dataclass(frozen=True)
class _Page:
    """What stands about a page apart from its body: the current version has no original."""

    title: str | None
    parent: str | None
    current: bool


def looks_like_confluence_export(text: str, path: str) -> bool:
    """Whether the text is XML whose root is the export's."""
    return root_name(text[:4000]) == "hibernate-generic"


def read_confluence_export(stream: BinaryIO, encoding: str) -> Items:
    """Each current page and blog post; older versions, drafts and comments are problems, counted and left out.

    Raises UnreadableError where the XML breaks at its start or no page is in it. Titles are held, bodies are not:
    bodies may stand before the pages that they belong to, so the export is gone through twice.
    """
    pages: dict[str, _Page] = {}
    broken_at: int | None = None
    try:
        for element in elements(stream, ("object",)):
            number = child_text(element, "id")
            if element.get("class") in _PAGES and number:
                pages[number] = _page(element)
    except BrokenXmlError as broken:
        broken_at = broken.line
    if not pages:
        raise UnreadableError("no-page", "The export holds no page.")
    stream.seek(0)
    try:
        yield from _bodies(stream, pages)
    except BrokenXmlError:
        yield Problem(f"line={broken_at}", "broken-xml", "The export breaks off here; what stood before was read.")


def _bodies(stream: BinaryIO, pages: dict[str, _Page]) -> Items:
    for element in elements(stream, ("object",)):
        if element.get("class") != "BodyContent":
            continue
        owner = next((each for each in _properties(element) if each.get("name") == "content"), None)
        number = child_text(owner, "id") if owner is not None else None
        page = pages.get(number or "")
        if page is None or not page.current:
            body = child_text(element, "id")
            place = f"page={number}" if page is not None else f"body={body}"
            yield Problem(place, "not-an-article", "The text is a comment, a draft or an older version of a page.")
            continue
        content = storage_format(_said(element, "body") or "")
        if content is None:
            yield Problem(f"page={number}", "broken-page", "The page's storage format cannot be parsed.")
            continue
        yield from content_items(content, page.title, _section(page, pages), f"page={number}&")


def _page(element: Any) -> _Page:
    parent = original = None
    for each in _properties(element):
        if each.get("name") == "parent":
            parent = child_text(each, "id")
        elif each.get("name") in ("originalVersion", "originalVersionId"):
            original = child_text(each, "id") or (each.text or "").strip() or None
    current = original is None and (_said(element, "contentStatus") or "current") == "current"
    return _Page(_said(element, "title"), parent, current)


def _section(page: _Page, pages: dict[str, _Page]) -> str | None:
    """The titles of the pages above this one, the topmost first."""
    above: list[str] = []
    seen = pages.get(page.parent or "")
    while seen is not None and len(above) < _DEEPEST:
        above.insert(0, seen.title or "")
        seen = pages.get(seen.parent or "")
    return " / ".join(title for title in above if title) or None


def _properties(element: Any) -> Iterator[Any]:
    return (each for each in element if each.tag == "property")


def _said(element: Any, name: str) -> str | None:
    found = next((each for each in _properties(element) if each.get("name") == name), None)
    return ("".join(found.itertext()).strip() or None) if found is not None else None

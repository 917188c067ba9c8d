"""XML read as it goes by: entities are not expanded, nothing outside the document is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree, html

from tenant_pipeline.intake.readers.item import UnreadableError

_BREAKS = re.compile(r"(?i)<(?:br|/p|/div|/tr|/td|/th|/li|/h[1-6])\b[^>]*>")


def xml_events(stream: BinaryIO, *kinds: str) -> Iterator[tuple[str, Any]]:
    """The elements as they begin and end. Raises UnreadableError where the document is not well-formed."""
    events = etree.iterparse(
        stream, events=kinds, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        yield from events
    except (etree.XMLSyntaxError, LookupError, ValueError):
        raise UnreadableError("broken-xml", "The XML is not well-formed or too deeply nested.") from None


def local_name(element: Any) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def child_text(element: Any, name: str) -> str | None:
    """The text of the first child of this name, in any namespace."""
    return next((element_text(child) for child in element if local_name(child) == name), None)


def element_text(element: Any) -> str | None:
    """All text in an element; None for nothing."""
    return "".join(element.itertext("*")).strip() or None


def child_elements(element: Any) -> list[Any]:
    """The elements in an element, without the entities that were not expanded."""
    return [child for child in element if isinstance(child.tag, str)]


def forget(element: Any) -> None:
    """Drop an element that was read, and those like it before it: the tree must not grow with the file."""
    parent = element.getparent()
    element.clear(keep_tail=True)
    while parent is not None and (previous := element.getprevious()) is not None and previous.tag == element.tag:
        parent.remove(previous)


def plain_text(markup: str | None) -> str | None:
    """Text without HTML's marks."""
    if not markup or not markup.strip():
        return None
    if "<" in markup or "&" in markup:
        try:
            page = html.fromstring(f"<div>{_BREAKS.sub(' ', markup)}</div>")
        except (etree.ParserError, etree.XMLSyntaxError, ValueError):
            return None
        etree.strip_elements(page, "script", "style", with_tail=False)
        markup = page.text_content()
    return " ".join(markup.split()) or None

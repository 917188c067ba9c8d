"""XML of no known kind: repeated elements as records, anything else as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items
from tenant_pipeline.intake.readers.plain_text import LONGEST_TEXT
from tenant_pipeline.intake.readers.xml_stream import child_elements, element_text, forget, local_name, xml_events

_ELEMENT = re.compile(r"<[A-Za-z_][\w.:-]*[\s/>]")


def looks_like_xml(text: str, path: str) -> bool:
    """Whether the text begins as XML does: with its declaration, or, where the name says so, with an element."""
    start = text.lstrip("\ufeff \t\r\n")
    declared = start.startswith("<?xml ")
    return declared or (path.lower().endswith(".xml") and bool(_ELEMENT.match(start) or start.startswith("<!")))


def read_xml(stream: BinaryIO, encoding: str) -> Items:
    """The children of the root, or of its only child, where they repeat and hold no text between elements: a table
    for each name, attributes as `@name`. Otherwise the whole text. Raises UnreadableError for XML not well-formed."""
    depth = _depth_of_records(stream)
    stream.seek(0)
    if depth:
        for number, element in enumerate(_at_depth(stream, depth), 1):
            yield Item(local_name(element), f"element={number}", _fields(element))
        return
    text = _whole_text(stream)
    for part, begin in enumerate(range(0, len(text), LONGEST_TEXT), 1):
        values = {"title": None, "text": text[begin : begin + LONGEST_TEXT].strip() or None}
        if values["text"]:
            yield Item("text", f"part={part}", values, SEGMENTS)


def _depth_of_records(stream: BinaryIO) -> int:
    """1 where the root's children repeat, 2 where those of its only child do, 0 for neither and for running text."""
    counts: tuple[dict[str, int], dict[str, int]] = ({}, {})
    depth = -1
    for event, element in xml_events(stream, "start", "end"):
        if event == "start":
            depth += 1
            continue
        if _has_running_text(element):
            return 0
        if depth in (1, 2):
            of_depth = counts[depth - 1]
            of_depth[local_name(element)] = of_depth.get(local_name(element), 0) + 1
            before = element.getprevious()
            if before is not None and (before.tail or "").strip():
                return 0
            forget(element)
        depth -= 1
    if max(counts[0].values(), default=0) > 1:
        return 1
    return 2 if len(counts[0]) == 1 and max(counts[1].values(), default=0) > 1 else 0


def _has_running_text(element: Any) -> bool:
    children = child_elements(element)
    return bool(children) and any((text or "").strip() for text in (element.text, *(child.tail for child in children)))


def _at_depth(stream: BinaryIO, wanted: int) -> Iterator[Any]:
    depth = -1
    for event, element in xml_events(stream, "start", "end"):
        if event == "start":
            depth += 1
            continue
        if depth == wanted:
            yield element
            forget(element)
        depth -= 1


def _whole_text(stream: BinaryIO) -> str:
    root = None
    for _, element in xml_events(stream, "end"):
        root = element
    return "\n".join(_lines(root)) if root is not None else ""


def _lines(element: Any) -> Iterator[str]:
    """The text of each innermost element, and of each that holds running text, a line each."""
    children = child_elements(element)
    if children and not _has_running_text(element):
        for child in children:
            yield from _lines(child)
    elif said := element_text(element):
        yield " ".join(said.split())


def _fields(record: Any) -> dict[str, str | None]:
    found: dict[str, list[str]] = {}

    def take(element: Any, prefix: str) -> None:
        for name, value in element.attrib.items():
            found.setdefault(f"{prefix}@{name.rpartition('}')[2]}", []).append(value.strip())
        for child in child_elements(element):
            name = f"{prefix}{local_name(child)}"
            take(child, f"{name}.")
            if not child_elements(child):
                found.setdefault(name, []).append(element_text(child) or "")

    take(record, "")
    if not child_elements(record):
        found["value"] = [element_text(record) or ""]
    return {name: "; ".join(filter(None, values)) or None for name, values in found.items()}

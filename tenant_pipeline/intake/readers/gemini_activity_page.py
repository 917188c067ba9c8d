"""Gemini in Google's My Activity as a page: a cell for each entry, newest first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree

from tenant_pipeline.intake.readers.chat_attachment import Attachment
from tenant_pipeline.intake.readers.chat_citation import Citation
from tenant_pipeline.intake.readers.chat_json import utf8_stream
from tenant_pipeline.intake.readers.gemini_activity import without_redirect
from tenant_pipeline.intake.readers.gemini_date import activity_moment
from tenant_pipeline.intake.readers.gemini_entry import Entry
from tenant_pipeline.intake.readers.item import UnreadableError
from tenant_pipeline.intake.readers.markup_text import links_in, markdown_of

_BREAK = etree.Element("br")
_ATTACHED = re.compile(r"(?:attached|แนบ|(?:已)?附加|(?:已)?添加|添付)[^\n]{0,40}[0-9][^\n]{0,20}", re.IGNORECASE)


def page_entries(stream: BinaryIO, encoding: str) -> Iterator[Entry]:
    """The entries, numbered from 0. Raises UnreadableError for a page that cannot be parsed."""
    parser = etree.iterparse(
        utf8_stream(stream, encoding), events=("end",), tag="div", html=True, encoding="utf-8", no_network=True,
        huge_tree=False, remove_comments=True,
    )  # fmt: skip
    position = 0
    try:
        for _, element in parser:
            if "outer-cell" in _classes(element):
                yield _entry(str(position), element)
                position += 1
                _forget(element)
    except (etree.XMLSyntaxError, etree.ParserError, UnicodeError, AssertionError):
        raise UnreadableError("broken-html", "The page cannot be parsed; export it again.") from None


def _forget(element: Any) -> None:
    """An entry that was read, and what stands before it, takes no more memory."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _entry(identifier: str, cell: Any) -> Entry:
    header = next((part for part in cell.iter("div") if "header-cell" in _classes(part)), None)
    contents = [part for part in cell.iter("div") if "content-cell" in _classes(part)]
    captions = [part for part in contents if "mdl-typography--caption" in _classes(part)]
    body = next((part for part in contents if part not in captions), None)
    products = [" ".join("".join(part.itertext()).split()) for part in (header, *captions) if part is not None]
    lines = list(_lines(body)) if body is not None else []
    dates = [activity_moment(markdown_of(line)) for line in lines]
    dated = next((number for number, date in enumerate(dates) if date and number), None)
    told, answer = (lines, []) if dated is None else (lines[:dated], lines[dated + 1 :])
    attachments, title = _without_attachments(told)
    nodes = [node for line in answer for node in (*line, _BREAK)]
    return Entry(
        identifier=identifier,
        products=tuple(products),
        title=title,
        created=dates[dated] if dated is not None else None,
        answer=markdown_of(nodes),
        attachments=tuple(attachments),
        citations=tuple(Citation(without_redirect(link.url), link.title) for link in links_in(nodes)),
    )


def _lines(body: Any) -> Iterator[list[Any]]:
    """What the cell holds, parted where its lines break."""
    line: list[Any] = [body.text] if body.text else []
    for child in body:
        if child.tag == "br":
            yield line
            line = []
        else:
            line.append(child)
        if child.tail:
            line.append(child.tail)
    if line:
        yield line


def _without_attachments(lines: list[list[Any]]) -> tuple[list[Attachment], str]:
    """The files that were attached, by the lines that name them, and the text of the other lines."""
    attachments: list[Attachment] = []
    texts: list[str] = []
    for number, line in enumerate(lines):
        text = markdown_of(line)
        if number and text.startswith(("-", "–", "•")) and any(True for _ in links_in(line)):
            attachments.append(Attachment(text.lstrip("-–• ")))
        elif not (number and _ATTACHED.fullmatch(text)):
            texts.append(text)
    return attachments, "\n".join(texts).strip()


def _classes(element: Any) -> list[str]:
    return str(element.get("class") or "").split()

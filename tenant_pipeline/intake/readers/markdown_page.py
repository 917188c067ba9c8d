"""Markdown: the page section by section as segments, its tables and its front matter as records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from markdown_it import MarkdownIt

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.json_records import flatten
from tenant_pipeline.intake.readers.plain_values import plain
from tenant_pipeline.intake.readers.tables_in_text import markdown_tables
from tenant_pipeline.intake.readers.yaml_records import yaml_documents
from tenant_pipeline.intake.text_encoding import text_of_bytes

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_MARKED = ("# ", "## ", "|--", "| --")
_MARKDOWN = MarkdownIt("commonmark")

_OF_A_PAGE = {"title": "headline", "date": "published"}
"""What a page's front matter means by names that elsewhere mean a thing's name, or the day of an event."""


def looks_like_markdown(text: str, path: str) -> bool:
    """Whether the file is named so, has front matter, or has a line that Markdown alone begins so."""
    if path.lower().endswith((".md", ".markdown")):
        return True
    lines = text.lstrip("\ufeff").splitlines()
    matter = bool(lines) and lines[0].rstrip() == "---" and "---" in (line.rstrip() for line in lines[1:200])
    return any(line.startswith(_MARKED) for line in lines[:50]) or (matter and any(map(str.strip, lines[-3:])))


def read_markdown(stream: BinaryIO, encoding: str) -> Items:
    """The front matter's fields, the text under each heading of the highest level, then each table.

    Front matter that cannot be read is a problem, and the page is read without it.
    """
    text = text_of_bytes(stream.read(), encoding or "utf-8").lstrip("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    matter = _FRONT_MATTER.match(text)
    title: str | None = None
    if matter:
        text = "\n" * matter[0].count("\n") + text[matter.end() :]
        try:
            values = _fields(matter[1])
            title = values.get("title") or values.get("name")
            yield Item("front matter", "line=1", {_OF_A_PAGE.get(name, name): said for name, said in values.items()})
        except UnreadableError as unreadable:
            yield Problem("line=1", unreadable.code, unreadable.reason)
    headings = list(_headings(text))
    title = title or (headings[0][2] if headings else None)
    for line, heading, section in _sections(text, headings):
        yield Item("text", f"line={line}", {"title": title, "section": heading, "text": section}, SEGMENTS)
    for number, rows in enumerate(markdown_tables(text), 1):
        for line, cells in rows:
            yield Item(f"table {number}", f"table={number}&line={line}", cells)


def _fields(matter: str) -> dict[str, str | None]:
    for document in yaml_documents(matter):
        values = plain(document)
        return flatten(values if isinstance(values, dict) else {"value": values})
    raise UnreadableError("empty-front-matter", "The front matter says nothing.")


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    """The page's own headings, not those in quotes and lists: line from 1, level, text."""
    tokens = _MARKDOWN.parse(text)
    for position, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            yield token.map[0] + 1, int(token.tag[1:]), tokens[position + 1].content.strip()


def _sections(text: str, headings: list[tuple[int, int, str]]) -> Iterator[tuple[int, str | None, str]]:
    """What stands before the first heading of the highest level, then what stands from each to the next."""
    highest = min((level for _, level, _ in headings), default=0)
    begins: list[tuple[int, str | None]] = [(1, None)]
    begins += [(line, heading or None) for line, level, heading in headings if level == highest]
    lines = text.split("\n")
    for (begin, heading), (end, _) in zip(begins, [*begins[1:], (len(lines) + 1, None)], strict=True):
        section = lines[begin - 1 : end - 1]
        said = next((position for position, line in enumerate(section) if line.strip()), None)
        if said is not None:
            yield begin + said, heading, "\n".join(section).strip()

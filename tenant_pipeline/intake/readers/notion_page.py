"""A page that Notion exported as Markdown: its properties as a record, its body as a segment, its tables as records."""

from __future__ import annotations

import re
from typing import BinaryIO

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items
from tenant_pipeline.intake.readers.tables_in_text import markdown_tables
from tenant_pipeline.intake.text_encoding import text_of_bytes

_NAME = re.compile(r"(?:.*[\s_-])?[0-9a-f]{32}\.(?:md|markdown)", re.IGNORECASE)
_PROPERTY = re.compile(r"([^\s:#|>*`\-\[!][^:\n]{0,79}?)\s*:(?:\s+(.*))?")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*\)")
_MARKS = re.compile(r"\*\*|__|~~|`")


def looks_like_notion(text: str, path: str) -> bool:
    """Whether the name ends in Notion's 32 hexadecimal digits and the text begins with a title."""
    return _NAME.fullmatch(path.rpartition("/")[2]) is not None and text.lstrip("\ufeff \t\r\n").startswith("# ")


def read_notion(stream: BinaryIO, encoding: str) -> Items:
    """The lines `Key: value` below the title as one record, then the body, then each table in it."""
    text = text_of_bytes(stream.read(), encoding).lstrip("\ufeff")
    lines = text.splitlines()
    filled = (number for number, line in enumerate(lines) if line.strip())
    top = next(filled, None)
    if top is None:
        return
    title = lines[top].lstrip("# ").strip() if lines[top].startswith("# ") else None
    begin = top + 1 if title else top
    while begin < len(lines) and not lines[begin].strip():
        begin += 1
    values, end = _properties(lines, begin)
    if values:
        named = {} if any(name.casefold() == "name" for name in values) else {"name": title}
        yield Item("properties", f"line={begin + 1}", {**named, **values})
        begin = end
    body = "\n".join(lines[begin:]).strip()
    if body:
        yield Item("text", f"line={begin + 1}", {"title": title, "text": body}, SEGMENTS)
    for number, rows in enumerate(markdown_tables("\n".join(lines[begin:])), 1):
        for line, cells in rows:
            yield Item(f"table {number}", f"table={number}&line={begin + line}", cells)


def _properties(lines: list[str], begin: int) -> tuple[dict[str, str | None], int]:
    """The block of `Key: value` lines that begins here, and where it ends: none unless a blank line closes it."""
    values: dict[str, str | None] = {}
    for number in range(begin, len(lines)):
        line = lines[number].rstrip()
        if not line:
            return values, number
        found = _PROPERTY.fullmatch(line)
        if found is None or (found[2] or "").startswith("//"):
            return {}, begin
        said = _MARKS.sub("", _LINK.sub(r"\1", found[2] or "")).strip()
        values[found[1]] = said or None
    return values, len(lines)

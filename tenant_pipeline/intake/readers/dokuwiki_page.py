"""DokuWiki pages: the prose of each section as a segment, tables as records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items
from tenant_pipeline.intake.readers.table_grid import Cell, Row, table_records
from tenant_pipeline.intake.text_encoding import text_of_bytes

_HEADING = re.compile(r"^\s{0,1}(={2,6})\s*([^=\s](?:[^\n]*[^=\s])?)\s*={2,6}\s*$")
_TITLE = re.compile(r"^ ?={5,6} *[^=\s][^\n]*={5,6}[ \t]*\r?$", re.MULTILINE)
_HEADER_ROW = re.compile(r"^ ?\^[^\n^]+\^[^\n]*[\^|][ \t]*\r?$", re.MULTILINE)
_WIKITEXT = re.compile(r"\{\{[^{}\n|]+\||^\{\||^==[^=]|'''", re.MULTILINE)
_NOT_SHOWN = re.compile(r"~~[A-Z]+~~|\(\([^()]*\)\)|\{\{[^{}]*\}\}|<(?:del|code|file)\b[^<>]*>|</(?:del|code|file)>")
_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]")
_MARKS = re.compile(r"\*\*|__|''|(?<!:)//|</?(?:sub|sup|nowiki)>|%%|\\\\(?=\s|$)")
_BULLET = re.compile(r"^\s{2,}[*-]\s*|^>+\s*")


def looks_like_dokuwiki(text: str, path: str) -> bool:
    """Whether the text has DokuWiki's headings of five or six equals signs or its `^ header ^` rows."""
    if _TITLE.search(text) is not None:
        first = re.search(r"^ ?={2,6}[^=\n]", text, re.MULTILINE)
        return first is not None and first.group().strip().count("=") >= 5
    return _HEADER_ROW.search(text) is not None and _WIKITEXT.search(text) is None


def read_dokuwiki(stream: BinaryIO, encoding: str) -> Items:
    """Each section with the page's title and its headings, each table's rows."""
    lines = text_of_bytes(stream.read(), encoding).splitlines()
    title: str | None = None
    above: list[tuple[int, str]] = []
    said: list[str] = []
    begin = table = 0
    rows: list[Row] = []
    for number, line in enumerate([*lines, "======"], 1):
        if rows and not line.lstrip(" ").startswith(("^", "|")):
            table += 1
            yield from _records(rows, table, title)
            rows = []
        heading = _HEADING.match(line)
        if heading or number > len(lines):
            yield from _segment(title, above, said, begin + 1)
            begin, said = number, []
        if heading:
            rank = -len(heading[1])
            name = _plain(heading[2])
            above = [*((level, each) for level, each in above if level < rank), (rank, name)]
            title = title or name
        elif number <= len(lines) and line.lstrip(" ").startswith(("^", "|")):
            cells = _cells(line.strip())
            if cells:
                rows.append((number, cells))
        else:
            said.append(line)


def _segment(title: str | None, above: list[tuple[int, str]], said: list[str], begin: int) -> Iterator[Item]:
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(map(_plain, said))).strip()
    if text:
        section = " / ".join(name for _, name in above) or None
        begin += next(position for position, line in enumerate(said) if line.strip())
        yield Item("text", f"line={begin}", {"title": title, "text": text, "section": section}, SEGMENTS)


def _records(rows: list[Row], table: int, title: str | None) -> Iterator[Item]:
    for line, values in table_records(rows, title):
        locator = f"table={table}" if line is None else f"table={table}&line={line}"
        yield Item(f"table {table}", locator, values)


def _cells(line: str) -> list[Cell]:
    """A row's cells: `^` begins a header, an empty cell widens the one before it, `:::` is left empty."""
    line = re.sub(r"\[\[[^\[\]]*\]\]|\{\{[^{}]*\}\}", lambda link: link.group().replace("|", "\0"), line)
    parts = re.findall(r"([\^|])([^\^|]*)", line)[:-1] if line[-1:] in "^|" else re.findall(r"([\^|])([^\^|]*)", line)
    cells: list[Cell] = []
    for mark, inner in parts:
        if inner == "" and cells:
            last = cells.pop()
            cells.append(Cell(last.text, last.heads, last.width + 1))
        else:
            text = _plain(inner.replace("\0", "|"))
            cells.append(Cell("" if text == ":::" else text, mark == "^"))
    return cells


def _plain(line: str) -> str:
    line = _LINK.sub(r"\1", _NOT_SHOWN.sub("", line))
    return re.sub(r"\s+", " ", _MARKS.sub("", _BULLET.sub("", line))).strip()

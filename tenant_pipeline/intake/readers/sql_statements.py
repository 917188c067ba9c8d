"""SQL parted into statements, each with its line, before any dialect is known."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = r"""
    --[^\n]* | ^[ \t]*\#(?!\w)[^\n]* | /\*.*?(?:\*/|\Z)
    | (?P<quoted>'(?:[^']|'')*(?:'|\Z)) | "[^"]*(?:"|\Z) | `[^`]*(?:`|\Z)
    | (?P<dollar>\$\w*\$).*?(?:(?P=dollar)|\Z) | ^[ \t]*(?P<batch>(?i:go)[ \t]*|\\[^\n]*)$ | (?P<end>;)
"""
_STANDARD = re.compile(_TOKEN, re.VERBOSE | re.DOTALL | re.MULTILINE)
_ESCAPED = re.compile(_TOKEN.replace("(?:[^']|'')*", r"(?:[^'\\]|''|\\.)*"), re.VERBOSE | re.DOTALL | re.MULTILINE)
_SAID = re.compile(r"(?:\s|(?:--|#)[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))*", re.DOTALL)
_COPIED_ROWS = re.compile(r"(?is)\s*copy\b.*\bfrom\s+stdin\b")
_END_OF_ROWS = re.compile(r"(?m)^\\\.$")


def sql_statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement that says something, with the line where it begins.

    Semicolons end a statement, and so do `GO` and a shell's `\\` commands on a line of their own, but not inside
    quotes, comments and bodies of functions. The rows after `COPY … FROM stdin` belong to no statement.
    """
    token = _ESCAPED if "`" in text else _STANDARD
    begin = place = counted = 0
    line = 1
    while begin < len(text):
        match = token.search(text, place)
        while match and not (match["end"] or match["batch"]):
            match = token.search(text, match.end())
        end = match.start() if match else len(text)
        statement = text[begin:end]
        said = _SAID.match(statement)
        first = begin + (said.end() if said else 0)
        line += text.count("\n", counted, first)
        counted = first
        if first < end:
            yield line, text[first:end]
        begin = match.end() if match else len(text)
        if match and match["end"] and _COPIED_ROWS.match(statement):
            last = _END_OF_ROWS.search(text, begin)
            begin = last.end() if last else len(text)
        place = begin

"""The components of vCard and iCalendar files, one at a time, so that a broken one costs no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from tenant_pipeline.intake.text_encoding import text_lines

LONGEST_BLOCK = 16 * 1024 * 1024


def component_blocks(stream: BinaryIO, encoding: str, name: str) -> Iterator[tuple[int, str | None]]:
    """Each component from its BEGIN line to its END line, with its number from 1.

    None stands for one that does not end, or is longer than any real one. Components inside are part of it.
    """
    begin, end = f"BEGIN:{name}", f"END:{name}"
    lines: list[str] | None = None
    number = depth = length = 0
    text = text_lines(stream, encoding or "utf-8", newline=None)
    for raw in iter(lambda: text.readline(LONGEST_BLOCK), ""):
        line = raw.lstrip("\ufeff").rstrip("\n")
        mark = line.strip().upper()
        if mark == begin:
            depth += 1
            if depth == 1:
                number, lines, length = number + 1, [], 0
        if lines is None:
            continue
        length += len(line)
        if length <= LONGEST_BLOCK:
            lines.append(line)
        if mark == end:
            depth -= 1
            if depth == 0:
                yield number, "\r\n".join(lines) + "\r\n" if length <= LONGEST_BLOCK else None
                lines = None
    if lines is not None:
        yield number, None

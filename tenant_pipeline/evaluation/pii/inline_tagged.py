"""Texts with tags in them, as Thai NER has them: `[PERSON]นายสมชาย ใจดี[/PERSON] กล่าวว่า`, one text a line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tenant_pipeline.evaluation.pii.gold import GoldText, Span
from tenant_pipeline.pii.analyzer import language_of

_TAG = re.compile(r"\[(/?)([A-Z]+)\]")
_MARKED = re.compile(r"\[([A-Z]+)\][^\[]+\[/\1\]")


def is_inline_tagged(lines: Sequence[str]) -> bool:
    """Whether some line has a stretch between a tag and the tag that closes it."""
    return any(_MARKED.search(line) for line in lines)


def inline_tagged(line: str, place: str) -> GoldText:
    """The text without its tags, and the spans they mark; a tag that is never closed or opened marks nothing."""
    pieces: list[str] = []
    spans: list[Span] = []
    opened: list[tuple[str, int]] = []
    position = length = 0
    for tag in _TAG.finditer(line):
        pieces.append(line[position : tag.start()])
        length += tag.start() - position
        position = tag.end()
        if not tag[1]:
            opened.append((tag[2], length))
        elif any(name == tag[2] for name, _ in opened):
            while opened:
                name, start = opened.pop()
                if name == tag[2]:
                    spans.append(Span(start, length, name))
                    break
    pieces.append(line[position:])
    text = "".join(pieces)
    return GoldText(text, language_of(text), tuple(sorted(spans)), place)

"""Texts with tags in them, as Thai NER has them: `[PERSON]นายสมชาย ใจดี[/PERSON] กล่าวว่า`, one text a line."""

from __future__ import annotations

import re

from tenant_pipeline.evaluation.pii.gold import GoldText, Span

_TAG = re.compile(r"\[(/?)([A-Z]+)\]")


def inline_tagged(line: str, place: str, language: str, dataset: str) -> GoldText:
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
    return GoldText("".join(pieces), language, tuple(sorted(spans)), place, dataset)

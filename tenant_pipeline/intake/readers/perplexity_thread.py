"""A thread of Perplexity as Markdown: questions as headings, answers below them, sources at the end of each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tenant_pipeline.intake.readers.chat_citation import Citation, citation_items
from tenant_pipeline.intake.readers.chat_message import ASSISTANT, CURRENT, USER, message_items
from tenant_pipeline.intake.readers.item import Items, Problem
from tenant_pipeline.intake.readers.perplexity_source import (
    Source,
    inline_citations,
    is_ornament,
    split_sources,
    without_numbered_links,
    without_numbers,
)

_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*")
_FENCE = re.compile(r"[ ]{0,3}(```|~~~)")
_BOLD = re.compile(r"\*\*([^*]{1,40}?)[ \t]*[:：]?[ \t]*\*\*[ \t]*[:：]?[ \t]*(.*)")
_ASKED = "question|query|user|prompt|you|me|human|q|คำถาม|ผู้ใช้|问题|問題|提问|提問|用户|用戶"
_ANSWERED = "answer|perplexity|assistant|response|ai|a|คำตอบ|ผู้ช่วย|回答|答案"
_ASK_LABEL = re.compile(rf"(?:{_ASKED})\s*[0-9]*\s*(?:[:：.)]\s*(.*))?", re.IGNORECASE)
_ANSWER_LABEL = re.compile(rf"(?:{_ANSWERED})\s*[0-9]*\s*[:：.)]?\s*", re.IGNORECASE)
_LONGEST_TITLE = 200


@dataclass
class _Turn:
    """A question, and the lines of its answer. Both may be empty."""

    question: str
    lines: list[str] = field(default_factory=list)


def thread_items(text: str) -> Items:
    """The questions and answers in order. What stands before the first question is a problem; a file without one is
    an answer."""
    lines = [line for line in text.lstrip("\ufeff").splitlines() if not is_ornament(line)]
    title, before, turns = _turns(lines)
    answer_only = not turns
    if answer_only:
        turns = [_Turn("", before)]
    elif any(line.strip() for line in before):
        yield Problem("line=1", "text-before-question", "The text before the first question belongs to no message.")
    split = [split_sources(turn.lines) for turn in turns]
    notes = [source for _, sources in split for source in sources if source.is_note]
    unused = {note for note in notes if not any(f"[^{note.label}]" in answer for answer, _ in split)}
    conversation = (title or next((turn.question for turn in turns if turn.question), "")).strip()[:_LONGEST_TITLE]
    for number, (turn, (answer, sources)) in enumerate(zip(turns, split, strict=True), 1):
        if turn.question:
            yield from _message(f"{number}-question", turn.question, USER, conversation)
        elif not answer_only:
            yield Problem(f"message={number}-question", "hidden-message", "The question is empty.")
        yield from _answer(f"{number}-answer", answer, _own(answer, sources, notes, unused), conversation)


def _own(answer: str, sources: Iterable[Source], notes: Iterable[Source], unused: set[Source]) -> list[Source]:
    """The sources below an answer, and the notes that it refers to wherever they stand; not the notes of others."""
    return [
        *(source for source in sources if not source.is_note),
        *(note for note in notes if f"[^{note.label}]" in answer),
        *(source for source in sources if source in unused),
    ]


def _answer(identifier: str, answer: str, sources: list[Source], conversation: str) -> Items:
    labels = frozenset(source.label for source in sources if not source.is_note)
    text = without_numbers(without_numbered_links(answer), labels)
    citations: list[Citation] = [source.citation for source in sources]
    if text:
        yield from _message(identifier, text, ASSISTANT, conversation)
    else:
        yield Problem(f"message={identifier}", "hidden-message", "The answer is empty.")
    yield from citation_items(identifier, (*citations, *inline_citations(answer)))


def _message(identifier: str, text: str, role: str, conversation: str) -> Items:
    return message_items(
        identifier,
        text,
        assistant="perplexity",
        role=role,
        conversation=conversation or None,
        created=None,
        branch=CURRENT,
    )


def _turns(lines: list[str]) -> tuple[str | None, list[str], list[_Turn]]:
    """The thread's title where it has one, the lines before the first question, and the turns."""
    headings = _headings(lines)
    labels = {number: _label(line) for number, line in enumerate(lines)}
    asks = {number: found for number, found in labels.items() if found is not None and found[0] == USER}
    if asks:
        first = min(asks)
        turns = [_labelled(lines, labels, begin, end) for begin, end in _spans(sorted(asks), len(lines))]
        titled = next((number for number in headings if number < first), None)
        before = [line for number, line in enumerate(lines[:first]) if number != titled]
        return (headings[titled][1] if titled is not None else None), before, turns
    level, title = _question_level(headings)
    starts = [number for number, (depth, _) in headings.items() if depth == level and number != title]
    turns = [_Turn(headings[begin][1], lines[begin + 1 : end]) for begin, end in _spans(starts, len(lines))]
    before = lines[: starts[0]] if starts else lines
    if title is not None:
        return headings[title][1], [line for number, line in enumerate(before) if number != title], turns
    return None, before, turns


def _question_level(headings: dict[int, tuple[int, str]]) -> tuple[int, int | None]:
    """The level of the questions' headings: the highest, or the one below a lone title that is not a question where
    that one's are. And the title's line."""
    level = min((depth for depth, _ in headings.values()), default=0)
    top = [number for number, (depth, _) in headings.items() if depth == level]
    asking = [depth for depth, said in headings.values() if depth > level and said.endswith(("?", "？"))]
    if len(top) == 1 and top[0] == min(headings) and asking and not headings[top[0]][1].endswith(("?", "？")):
        return min(asking), top[0]
    return level, None


def _headings(lines: list[str]) -> dict[int, tuple[int, str]]:
    """The headings outside blocks of code, by line: their level and text."""
    found: dict[int, tuple[int, str]] = {}
    fence = ""
    for number, line in enumerate(lines):
        if mark := _FENCE.match(line):
            fence = "" if fence == mark[1] else fence or mark[1]
        elif not fence and (heading := _HEADING.fullmatch(line)) and heading[2]:
            found[number] = (len(heading[1]), heading[2])
    return found


def _label(line: str) -> tuple[str, str] | None:
    """Who speaks from a line on, where it says so, and what of it stands on the line."""
    heading, bold = _HEADING.fullmatch(line), _BOLD.fullmatch(line.strip())
    said = heading[2] if heading else bold[1] if bold else ""
    rest = bold[2] if bold and not heading else ""
    if asked := _ASK_LABEL.fullmatch(said):
        return USER, " ".join(part for part in (asked[1], rest) if part)
    return (ASSISTANT, rest) if _ANSWER_LABEL.fullmatch(said) and said else None


def _labelled(lines: list[str], labels: dict[int, tuple[str, str] | None], begin: int, end: int) -> _Turn:
    """A turn whose question and answer are named; without a name for the answer it begins after a blank line."""
    asked = labels[begin]
    inline = asked[1] if asked else ""
    answer = next((number for number in range(begin + 1, end) if labels[number] is not None), None)
    if answer is not None:
        said = labels[answer]
        question = "\n".join((inline, *lines[begin + 1 : answer])).strip()
        return _Turn(question, [said[1] if said else "", *lines[answer + 1 : end]])
    if inline:
        return _Turn(inline, lines[begin + 1 : end])
    body = next((number for number in range(begin + 1, end) if lines[number].strip()), end)
    gap = next((number for number in range(body, end) if not lines[number].strip()), end)
    return _Turn("\n".join(lines[body:gap]).strip(), lines[gap:end])


def _spans(starts: list[int], end: int) -> list[tuple[int, int]]:
    return list(zip(starts, [*starts[1:], end], strict=True)) if starts else []

"""Responses of Perplexity as it gives them to programs: choices, and what they cite beside them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.chat_citation import Citation, citation_items
from tenant_pipeline.intake.readers.chat_json import as_list, as_map, as_text, json_elements, json_values, utf8_stream
from tenant_pipeline.intake.readers.chat_message import (
    ALTERNATIVE,
    ASSISTANT,
    CURRENT,
    USER,
    hidden,
    message_items,
    message_place,
    moment,
)
from tenant_pipeline.intake.readers.item import Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.perplexity_source import without_numbers

LONGEST_LINE = 64 * 1024 * 1024
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


def is_line_of_responses(stream: BinaryIO, encoding: str) -> bool:
    """Whether the first line is an object by itself, and another follows it."""
    source = utf8_stream(stream, encoding)
    first, second = _line(source), _line(source)
    while second is not None and not second.strip():
        second = _line(source)
    return bool(second and second.lstrip().startswith(b"{")) and isinstance(_value(first or b""), dict)


def opens_responses(stream: BinaryIO, encoding: str) -> bool:
    """Whether a bracket opens an array of objects, and not a Markdown link."""
    head: bytes = utf8_stream(stream, encoding).read(4096)
    return head.lstrip()[1:].lstrip()[:1] in (b"{", b"]", b"")


def response_line_items(stream: BinaryIO, encoding: str) -> Items:
    """The messages of one response a line; a line that is none is a problem."""
    source = utf8_stream(stream, encoding)
    number = 0
    while (line := _line(source)) is not None:
        number += 1
        if not line.strip():
            continue
        value = _value(line)
        if isinstance(value, dict):
            yield from _response(value, f"line-{number}")
        else:
            yield Problem(f"line={number}", "broken-line", "The line is not a JSON object.")


def response_items(stream: BinaryIO, encoding: str) -> Items:
    """The messages of one response or of an array of them. Raises UnreadableError for broken JSON."""
    for position, element in enumerate(json_elements(stream, encoding)):
        yield from _response(as_map(element), str(position))


def _response(response: Mapping[str, Any], place: str) -> Items:
    choices = as_list(response.get("choices"))
    if not choices:
        yield Problem(message_place(place), "not-a-response", "The element holds no answer.")
        return
    asked = [as_map(each) for each in as_list(response.get("messages"))]
    name = next((text for each in asked if each.get("role") == USER if (text := _content(each))), None)
    about = (name or as_text(response.get("id")) or place)[:200], moment(response.get("created"))
    for number, message in enumerate(asked, 1):
        yield from _message(f"{place}-asked-{number}", message, about, CURRENT, frozenset())
    citations = list(_citations(response))
    labels = frozenset(str(number) for number in range(1, len(as_list(response.get("citations")) or citations) + 1))
    for number, choice in enumerate(choices):
        message = {"role": ASSISTANT, **as_map(as_map(choice).get("message"))}
        identifier = place if number == 0 else f"{place}-choice-{number}"
        yield from _message(identifier, message, about, CURRENT if number == 0 else ALTERNATIVE, labels)
        further = _annotations(message)
        yield from citation_items(identifier, (*citations, *further) if number == 0 else further)


def _message(
    identifier: str, message: Mapping[str, Any], about: tuple[str, str | None], branch: str, labels: frozenset[str]
) -> Items:
    said = _content(message)
    text, thoughts = _THOUGHT.subn("", said)
    text = without_numbers(text, labels)
    role = message.get("role")
    if role not in (USER, ASSISTANT) or not text:
        yield hidden(identifier)
        return
    if thoughts:
        place = f"{message_place(identifier)}&block=1"
        yield Problem(place, "hidden-block", "The block is no text that a person saw or wrote.")
    yield from message_items(
        identifier, text, assistant="perplexity", role=role, conversation=about[0], created=about[1], branch=branch
    )


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    blocks = [as_text(as_map(block).get("text")) for block in as_list(content)]
    return as_text(content) or "\n\n".join(text for text in blocks if text)


def _citations(response: Mapping[str, Any]) -> Iterator[Citation]:
    for each in as_list(response.get("citations")):
        entry = as_map(each)
        yield Citation(as_text(each) or entry.get("url"), entry.get("title"), entry.get("snippet"))
    for each in as_list(response.get("search_results")):
        found = as_map(each)
        yield Citation(found.get("url"), found.get("title"), found.get("snippet"))


def _annotations(message: Mapping[str, Any]) -> tuple[Citation, ...]:
    cited = [as_map(as_map(each).get("url_citation")) for each in as_list(message.get("annotations"))]
    return tuple(Citation(each.get("url"), each.get("title")) for each in cited)


def _line(source: Any) -> bytes | None:
    """The next line; None at the end. A line longer than any response comes in pieces, none of which is JSON."""
    line: bytes = source.readline(LONGEST_LINE)
    return line or None


def _value(line: bytes) -> Any:
    try:
        return next(json_values(io.BytesIO(line), "utf-8"), None)
    except UnreadableError:
        return None

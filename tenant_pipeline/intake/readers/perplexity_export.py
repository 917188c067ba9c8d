"""Perplexity: threads as Markdown, and responses in the form of its interface for programs."""

from __future__ import annotations

import re
from typing import BinaryIO

from tenant_pipeline.intake.readers.chat_json import first_character
from tenant_pipeline.intake.readers.chat_message import MESSAGES, without_message
from tenant_pipeline.intake.readers.item import Item, Items
from tenant_pipeline.intake.readers.perplexity_response import (
    is_line_of_responses,
    opens_responses,
    response_items,
    response_line_items,
)
from tenant_pipeline.intake.readers.perplexity_thread import thread_items
from tenant_pipeline.intake.text_encoding import text_of_bytes

_MARKS = ("pplx-full-logo", "r2cdn.perplexity.ai", "perplexity.ai/search")
_SOURCE = re.compile(
    r"^(?:\[\^[^\]\s]{1,40}\]:?|\[[0-9]{1,3}\]:?|[0-9]{1,3}[.)])[ \t]+(?:\[[^\]\n]{0,300}\]\()?<?https?://",
    re.MULTILINE,
)
_COPIED = re.compile(r"^\**Citations:?\**:?[ \t]*\r?\n+\[1\]:?[ \t]+\S", re.MULTILINE)
_RULE = "⁂"


def looks_like_perplexity_response(text: str, path: str) -> bool:
    """Whether the text begins a response with what it cites, an array of them, or one a line."""
    return (
        text.lstrip()[:1] in ("[", "{")
        and '"choices"' in text
        and ('"citations"' in text or '"search_results"' in text)
    )


def looks_like_perplexity_thread(text: str, path: str) -> bool:
    """Whether the text is a thread in Markdown: by its marks, its list of citations, or its name and numbered
    sources."""
    start = text.lstrip()[:40].casefold()
    if start.startswith(("<!doctype", "<html", "<?xml", "{")):
        return False
    named = "perplexity" in path.casefold() or any(mark in text for mark in _MARKS)
    sourced = _SOURCE.search(text) is not None
    return _COPIED.search(text) is not None or (sourced and (named or _RULE in text))


def read_perplexity(stream: BinaryIO, encoding: str) -> Items:
    """The questions and answers of a thread or of responses, with the tables in them and what they cite.

    Raises UnreadableError for broken JSON and where there is no message.
    """
    first = first_character(stream, encoding)
    if first == "{" and is_line_of_responses(stream, encoding):
        items = response_line_items(stream, encoding)
    elif first == "{" or (first == "[" and opens_responses(stream, encoding)):
        items = response_items(stream, encoding)
    else:
        stream.seek(0)
        items = thread_items(text_of_bytes(stream.read(), encoding or "utf-8"))
    found_any = False
    for item in items:
        found_any = found_any or (isinstance(item, Item) and item.table == MESSAGES)
        yield item
    if not found_any:
        raise without_message()

"""Gemini: Google Takeout's My Activity, as JSON or as a page, and the prompts of AI Studio."""

from __future__ import annotations

from typing import BinaryIO

from tenant_pipeline.intake.readers.chat_json import first_character, json_values
from tenant_pipeline.intake.readers.chat_message import MESSAGES, without_message
from tenant_pipeline.intake.readers.gemini_activity import activity_entries
from tenant_pipeline.intake.readers.gemini_activity_page import page_entries
from tenant_pipeline.intake.readers.gemini_entry import entry_items, names_gemini
from tenant_pipeline.intake.readers.gemini_studio import studio_items
from tenant_pipeline.intake.readers.item import Item, Items


def looks_like_gemini_activity(text: str, path: str) -> bool:
    """Whether the text begins My Activity as JSON, and it or its path names Gemini."""
    return (
        text.lstrip()[:1] == "["
        and all(f'"{name}"' in text for name in ("header", "title", "time"))
        and names_gemini(path + text)
    )


def looks_like_gemini_activity_page(text: str, path: str) -> bool:
    """Whether the text begins My Activity as a page, and it or its path names Gemini."""
    return (
        text.lstrip()[:1] == "<"
        and all(name in text for name in ("outer-cell", "content-cell", "header-cell"))
        and names_gemini(path + text)
    )


def looks_like_gemini_studio(text: str, path: str) -> bool:
    """Whether the text begins a prompt of AI Studio."""
    return text.lstrip()[:1] == "{" and '"chunkedPrompt"' in text


def read_gemini(stream: BinaryIO, encoding: str) -> Items:
    """The prompts and answers. My Activity names no conversations: they are told by the pauses between prompts.

    Entries of other products, and those of something done and not said, are problems. Raises UnreadableError for a
    file that cannot be parsed and where there is no message.
    """
    first = first_character(stream, encoding)
    if first == "<":
        items = entry_items(page_entries(stream, encoding))
    elif first == "{" and any(True for _ in json_values(stream, encoding, "chunkedPrompt")):
        items = studio_items(stream, encoding)
    else:
        items = entry_items(activity_entries(stream, encoding))
    found_any = False
    for item in items:
        found_any = found_any or (isinstance(item, Item) and item.table == MESSAGES)
        yield item
    if not found_any:
        raise without_message()

"""A chat's message as items: its text a segment, the tables in it records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tenant_pipeline.intake.readers.chat_tables import DRAWN
from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.tables_in_text import markdown_tables

AI_READERS = frozenset({"chatgpt", "claude", "gemini", "perplexity"})
"""The readers of what people said to an assistant and what it answered."""

USER, ASSISTANT = "user", "assistant"
CURRENT, ALTERNATIVE = "current", "alternative"
MESSAGES = "messages"


def message_place(identifier: str) -> str:
    """The locator of a message."""
    return f"message={quote(identifier, safe=':')}"


def message_items(
    identifier: str,
    text: str,
    *,
    assistant: str,
    role: str,
    conversation: str | None,
    created: str | None,
    branch: str,
    grouping: str | None = None,
    block: int | None = None,
    title: str | None = None,
) -> Items:
    """The segment of a message, and the rows of its Markdown tables. `assistant` is who was asked, `grouping` how its
    conversation was told, where the export does not say. A document in a message has its `title`, and, where it is one
    `block` of several, its place there."""
    values = {"text": text, "role": role, "conversation": conversation, "created": created, "branch": branch,
              "assistant": assistant}  # fmt: skip
    if grouping is not None:
        values["grouping"] = grouping
    if title is not None:
        values["title"] = title
    place = message_place(identifier) if block is None else f"{message_place(identifier)}&block={block}"
    yield Item(MESSAGES, place, values, SEGMENTS)
    yield from table_items(place, text)


def table_items(place: str, text: str) -> Items:
    """The rows of the Markdown tables of a text as records. All tables with the same header are one."""
    if not any("|" in line and "-" in line and not line.strip("|:- \t>") for line in text.splitlines()):
        return
    for number, rows in enumerate(markdown_tables(text), 1):
        for line, cells in rows:
            yield Item(DRAWN + ", ".join(cells), f"{place}&table={number}&line={line}", cells)


def hidden(identifier: str, reason: str = "Not a message that a person saw or wrote.") -> Problem:
    """A message that is left out, as a problem, so that it is counted."""
    return Problem(message_place(identifier), "hidden-message", reason)


def without_message() -> UnreadableError:
    """The error of an export in which nobody said anything."""
    return UnreadableError("no-message", "The export holds no message.")


def moment(seconds: Any) -> str | None:
    """A Unix time as ISO 8601 in UTC; None for anything else."""
    if isinstance(seconds, int | float) and 0 < seconds < 1e11:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    return None


def ancestry(leaf: Any, parents: Mapping[str, Any]) -> list[str]:
    """The way from the root to a leaf, the leaf included; empty where there is no such leaf. Ends at a circle."""
    way: dict[str, None] = {}
    while isinstance(leaf, str) and leaf in parents and leaf not in way:
        way[leaf] = None
        leaf = parents[leaf]
    return list(way)[::-1]

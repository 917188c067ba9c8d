"""A chat's message as items: its text a segment, the tables in it records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

import ijson

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items
from tenant_pipeline.intake.readers.tables_in_text import markdown_tables

AI_READERS = frozenset({"chatgpt", "claude", "gemini", "perplexity"})
"""The readers of what an AI wrote, by the names that the registry has for them."""


def message_items(
    identifier: str, text: str, *, role: str, conversation: str | None, created: str | None, branch: str
) -> Items:
    """The segment of a message, and the rows of its Markdown tables."""
    values = {"text": text, "role": role, "conversation": conversation, "created": created, "branch": branch}
    yield Item("messages", f"message={identifier}", values, SEGMENTS)
    for number, rows in enumerate(markdown_tables(text), 1):
        for line, cells in rows:
            table = "tables: " + ", ".join(cells)
            yield Item(table, f"message={identifier}&table={number}&line={line}", cells)


def moment(seconds: Any) -> str | None:
    """A Unix time as ISO 8601 in UTC; None for anything else."""
    if isinstance(seconds, int | float) and 0 < seconds < 1e11:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    return None


def conversations(stream: BinaryIO) -> Iterator[Mapping[str, Any]]:
    """The conversations of an export, streamed from an array, or the one that the file is."""
    first = stream.read(64).lstrip()[:1]
    stream.seek(0)
    if first == b"[":
        yield from ijson.items(stream, "item", use_float=True)
    else:
        yield json.load(stream)

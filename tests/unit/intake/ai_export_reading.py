"""Exports of assistants, read in memory: the samples that ship with the package, and any bytes."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib.resources import files
from typing import BinaryIO

from tenant_pipeline.intake.readers.chatgpt_export import (
    looks_like_chatgpt,
    looks_like_chatgpt_manifest,
    read_chatgpt,
)
from tenant_pipeline.intake.readers.claude_export import (
    looks_like_claude,
    looks_like_claude_projects,
    looks_like_claude_users,
    read_claude,
)
from tenant_pipeline.intake.readers.gemini_export import (
    looks_like_gemini_activity,
    looks_like_gemini_activity_page,
    looks_like_gemini_studio,
    read_gemini,
)
from tenant_pipeline.intake.readers.item import Item, Items, Problem
from tenant_pipeline.intake.readers.perplexity_export import (
    looks_like_perplexity_response,
    looks_like_perplexity_thread,
    read_perplexity,
)

SAMPLES = files("tenant_pipeline.samples.origins")

READERS: dict[str, Callable[[BinaryIO, str], Items]] = {
    "chatgpt": read_chatgpt,
    "claude": read_claude,
    "gemini": read_gemini,
    "perplexity": read_perplexity,
}
LOOKS: tuple[tuple[str, Callable[[str, str], bool]], ...] = (
    ("chatgpt", looks_like_chatgpt),
    ("chatgpt manifest", looks_like_chatgpt_manifest),
    ("claude", looks_like_claude),
    ("claude projects", looks_like_claude_projects),
    ("claude users", looks_like_claude_users),
    ("gemini studio", looks_like_gemini_studio),
    ("gemini activity", looks_like_gemini_activity),
    ("gemini activity page", looks_like_gemini_activity_page),
    ("perplexity response", looks_like_perplexity_response),
    ("perplexity thread", looks_like_perplexity_thread),
)
SAMPLE_KINDS = {
    "chatgpt/conversations.json": "chatgpt",
    "chatgpt/conversation.json": "chatgpt",
    "chatgpt/split/conversations-000.json": "chatgpt",
    "chatgpt/split/conversations-001.json": "chatgpt",
    "chatgpt/split/export_manifest.json": "chatgpt manifest",
    "claude/conversations.json": "claude",
    "claude/projects.json": "claude projects",
    "claude/users.json": "claude users",
    "gemini/MyActivity.json": "gemini activity",
    "gemini/MyActivity.html": "gemini activity page",
    "gemini/ai-studio-prompt.json": "gemini studio",
    "perplexity/thread.md": "perplexity thread",
    "perplexity/thread-with-sources.md": "perplexity thread",
    "perplexity/api.json": "perplexity response",
    "perplexity/api.ndjson": "perplexity response",
}


class Read:
    """What a reader finds in some bytes."""

    def __init__(self, reader: str, content: bytes, encoding: str = "utf-8") -> None:
        self.found: list[Item | Problem] = list(READERS[reader](io.BytesIO(content), encoding))

    def table(self, name: str) -> list[dict[str, str | None]]:
        """The records or segments of a table, each with its locator as `#`."""
        items = [item for item in self.found if isinstance(item, Item) and item.table == name]
        return [{**item.values, "#": item.locator} for item in items]

    @property
    def said(self) -> list[tuple[str | None, str | None]]:
        """Who said what, in order."""
        return [(message["role"], message["text"]) for message in self.table("messages")]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """The code and the place of each problem."""
        return [(item.code, item.locator) for item in self.found if isinstance(item, Problem)]


def sample(name: str) -> bytes:
    return SAMPLES.joinpath(*name.split("/")).read_bytes()


def sample_read(name: str) -> Read:
    return Read(name.split("/")[0], sample(name))

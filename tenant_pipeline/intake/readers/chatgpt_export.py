"""ChatGPT exports: conversations as trees of messages, walked back from the one that was current."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.chat_message import conversations, message_items, moment
from tenant_pipeline.intake.readers.item import Items, Problem, UnreadableError

_SHOWN = ("user", "assistant")


def read_chatgpt(stream: BinaryIO, encoding: str) -> Items:
    """The messages of all conversations. Branches that were given up are kept as `alternative`; what the person
    never saw (system, tools, hidden) is a problem, so that it is counted."""
    messages = 0
    for conversation in conversations(stream):
        for found in _conversation(conversation):
            messages += not isinstance(found, Problem)
            yield found
    if not messages:
        raise UnreadableError("no-message", "The export holds no message.")


def _conversation(conversation: Mapping[str, Any]) -> Items:
    mapping: Mapping[str, Any] = conversation.get("mapping") or {}
    current: set[str] = set()
    node = conversation.get("current_node")
    while isinstance(node, str) and node in mapping and node not in current:
        current.add(node)
        node = mapping[node].get("parent")
    for identifier, entry in mapping.items():
        message = entry.get("message") if isinstance(entry, dict) else None
        if not message:
            continue
        role = (message.get("author") or {}).get("role", "")
        text = _text(message.get("content") or {})
        hidden = (message.get("metadata") or {}).get("is_visually_hidden_from_conversation")
        if role not in _SHOWN or hidden or not text:
            yield Problem(f"message={identifier}", "hidden-message", "Not a message that a person saw or wrote.")
            continue
        yield from message_items(
            identifier,
            text,
            role=role,
            conversation=conversation.get("title") or None,
            created=moment(message.get("create_time")),
            branch="current" if identifier in current or not current else "alternative",
        )


def _text(content: Mapping[str, Any]) -> str:
    parts = content.get("parts") or [content.get("text")]
    return "\n".join(part for part in parts if isinstance(part, str)).strip()

"""Claude exports: conversations as lists of messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.chat_message import conversations, message_items
from tenant_pipeline.intake.readers.item import Items, Problem, UnreadableError

_ROLES = {"human": "user", "user": "user", "assistant": "assistant"}


def read_claude(stream: BinaryIO, encoding: str) -> Items:
    """The messages of all conversations, with the text of their attachments."""
    messages = 0
    for number, conversation in enumerate(conversations(stream)):
        for position, message in enumerate(conversation.get("chat_messages") or []):
            role = _ROLES.get(message.get("sender") or message.get("role") or "", "")
            identifier = message.get("uuid") or f"{number}-{position}"
            text = _text(message)
            if not role or not text:
                yield Problem(f"message={identifier}", "hidden-message", "Not a message that a person saw or wrote.")
                continue
            messages += 1
            yield from message_items(
                identifier,
                text,
                role=role,
                conversation=conversation.get("name") or None,
                created=message.get("created_at") or None,
                branch="current",
            )
    if not messages:
        raise UnreadableError("no-message", "The export holds no message.")


def _text(message: Mapping[str, Any]) -> str:
    said = [part.get("text") for part in message.get("content") or [] if isinstance(part, dict)]
    texts = [text for text in said if isinstance(text, str) and text.strip()] or [message.get("text") or ""]
    attached = [each.get("extracted_content") for each in message.get("attachments") or [] if isinstance(each, dict)]
    return "\n\n".join(text for text in (*texts, *attached) if isinstance(text, str) and text.strip()).strip()

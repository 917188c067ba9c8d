"""ChatGPT exports: conversations as trees of messages, walked back from the one that was current."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.chat_attachment import attachment_items
from tenant_pipeline.intake.readers.chat_citation import citation_items
from tenant_pipeline.intake.readers.chat_json import as_map, as_text, json_elements
from tenant_pipeline.intake.readers.chat_message import (
    ALTERNATIVE,
    ASSISTANT,
    CURRENT,
    MESSAGES,
    USER,
    ancestry,
    hidden,
    message_items,
    message_place,
    moment,
    without_message,
)
from tenant_pipeline.intake.readers.chatgpt_content import (
    attachments_of,
    canvas_document,
    citations_of,
    is_shown,
    text_of_content,
)
from tenant_pipeline.intake.readers.chatgpt_manifest import manifest_items
from tenant_pipeline.intake.readers.item import Item, Items, Problem

_PART = re.compile(r"conversations(?:-[0-9]+)?\.json")


def looks_like_chatgpt(text: str, path: str) -> bool:
    """Whether the text begins an array of conversations, or one: trees of nodes."""
    return text.lstrip()[:1] in ("[", "{") and '"mapping"' in text and ('"current_node"' in text or '"parent"' in text)


def looks_like_chatgpt_manifest(text: str, path: str) -> bool:
    """Whether the text is the list of parts that goes with a split export."""
    named = "manifest" in path.rsplit("/", 1)[-1].casefold()
    listed = '"logical_files"' in text or (named and '"files"' in text)
    return text.lstrip()[:1] == "{" and listed and _PART.search(text) is not None and '"mapping"' not in text


def read_chatgpt(stream: BinaryIO, encoding: str) -> Items:
    """The messages of all conversations, or the parts that a manifest lists.

    Branches that were given up are kept as `alternative`; what the person never saw (system, tools, hidden) is a
    problem, so that it is counted. Raises UnreadableError for broken JSON and where there is no message.
    """
    found_any = False
    for number, element in enumerate(json_elements(stream, encoding)):
        conversation = as_map(element)
        if isinstance(conversation.get("mapping"), dict):
            items = _conversation(conversation)
        elif conversation:
            items = manifest_items(conversation, f"/{number}")
        else:
            items = iter([Problem(f"/{number}", "not-a-conversation", "The element is no conversation.")])
        for item in items:
            found_any = found_any or (isinstance(item, Item) and item.table in (MESSAGES, "parts"))
            yield item
    if not found_any:
        raise without_message()


def _conversation(conversation: Mapping[str, Any]) -> Items:
    nodes: Mapping[str, Any] = conversation["mapping"]
    current = ancestry(
        conversation.get("current_node"), {name: as_map(node).get("parent") for name, node in nodes.items()}
    )
    title = as_text(conversation.get("title")) or as_text(conversation.get("conversation_id"))
    on_it = set(current)
    for name in (*current, *(name for name in nodes if name not in on_it)):
        branch = CURRENT if name in on_it or not current else ALTERNATIVE
        yield from _node(name, nodes[name], title, branch)


def _node(name: str, node: Any, title: str | None, branch: str) -> Items:
    if not isinstance(node, dict) or not isinstance(node.get("message"), dict | None):
        yield Problem(message_place(name), "broken-message", "The node of the conversation's tree is none.")
        return
    message = as_map(node.get("message"))
    if not message:
        return
    role = as_map(message.get("author")).get("role")
    document = canvas_document(message)
    if role not in (USER, ASSISTANT) or not (document or is_shown(message)):
        yield hidden(name)
        return
    named, text = document or (None, text_of_content(message))
    attached = list(attachment_items(name, attachments_of(message)))
    if text:
        yield from message_items(
            name,
            text,
            assistant="chatgpt",
            role=role,
            conversation=title,
            created=moment(message.get("create_time")),
            branch=branch,
            title=named,
        )
    elif attached:
        yield Problem(message_place(name), "message-without-text", "The message holds attachments and no text.")
    else:
        yield hidden(name, "The message is empty.")
    yield from attached
    yield from citation_items(name, citations_of(message))

"""Claude exports: conversations as lists of messages; projects and the account's people lie beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.chat_attachment import attachment_items
from tenant_pipeline.intake.readers.chat_citation import citation_items
from tenant_pipeline.intake.readers.chat_json import as_list, as_map, as_text, json_elements
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
    without_message,
)
from tenant_pipeline.intake.readers.claude_content import (
    artifacts_of,
    attachments_of,
    citations_of,
    left_out,
    sources_of,
    text_of_message,
)
from tenant_pipeline.intake.readers.claude_project import PROJECTS, is_project, project_items
from tenant_pipeline.intake.readers.item import Item, Items, Problem, UnreadableError

_ROLES = {"human": USER, "user": USER, "assistant": ASSISTANT}


def looks_like_claude(text: str, path: str) -> bool:
    """Whether the text begins an array of conversations, or one: lists of messages."""
    return text.lstrip()[:1] in ("[", "{") and '"chat_messages"' in text


def looks_like_claude_projects(text: str, path: str) -> bool:
    """Whether the text begins the projects of an export, or one."""
    return (
        text.lstrip()[:1] in ("[", "{")
        and '"prompt_template"' in text
        and ('"docs"' in text or '"is_starter_project"' in text)
    )


def looks_like_claude_users(text: str, path: str) -> bool:
    """Whether the text begins the list of an export's account holders."""
    named = path.rsplit("/", 1)[-1].casefold() == "users.json" or '"verified_phone_number"' in text
    return (
        named
        and text.lstrip()[:1] in ("[", "{")
        and all(f'"{name}"' in text for name in ("uuid", "full_name", "email_address"))
    )


def read_claude(stream: BinaryIO, encoding: str) -> Items:
    """The messages of all conversations with the text of their attachments, and the texts of projects.

    What a person did not see (tools, thinking) is a problem, so that it is counted; so is each account holder, whose
    data are not taken in. Raises UnreadableError for broken JSON, for account data alone and where there is no
    message.
    """
    found_any = accounts = False
    for number, element in enumerate(json_elements(stream, encoding)):
        entry = as_map(element)
        if "chat_messages" in entry:
            items = _conversation(entry, number)
        elif is_project(entry):
            items = project_items(entry, number)
        elif "email_address" in entry or "full_name" in entry:
            accounts = True
            items = iter([Problem(f"/{number}", "account-data", "An account holder's data are not taken in.")])
        else:
            items = iter([Problem(f"/{number}", "not-a-conversation", "The element is no conversation.")])
        for item in items:
            found_any = found_any or (isinstance(item, Item) and item.table in (MESSAGES, PROJECTS))
            yield item
    if not found_any and accounts:
        raise UnreadableError("account-data", "The file holds only account holders' data, which are not taken in.")
    if not found_any:
        raise without_message()


def _conversation(conversation: Mapping[str, Any], number: int) -> Items:
    messages = [as_map(each) for each in as_list(conversation.get("chat_messages"))]
    current = _current(conversation, messages)
    sources = sources_of(messages)
    title = as_text(conversation.get("name")) or as_text(conversation.get("uuid"))
    for position, message in enumerate(messages):
        identifier = as_text(message.get("uuid")) or f"{number}-{position}"
        yield from _message(identifier, message, title, current, sources)


def _message(
    identifier: str, message: Mapping[str, Any], title: str | None, current: set[str], sources: Mapping[str, str]
) -> Items:
    said_by = as_text(message.get("sender")) or as_text(message.get("role")) or ""
    role = _ROLES.get(said_by)
    if role is None:
        yield hidden(identifier)
        return
    said: list[tuple[int | None, str | None, str]] = [(None, None, text_of_message(message)), *artifacts_of(message)]
    said = [(block, named, text) for block, named, text in said if text]
    attached = list(attachment_items(identifier, attachments_of(message)))
    for block, named, text in said:
        yield from message_items(
            identifier,
            text,
            assistant="claude",
            role=role,
            conversation=title,
            created=as_text(message.get("created_at")),
            branch=CURRENT if identifier in current or not current else ALTERNATIVE,
            block=block,
            title=named,
        )
    if attached and not said:
        yield Problem(message_place(identifier), "message-without-text", "The message holds attachments and no text.")
    elif not said:
        yield hidden(identifier)
    for position in left_out(message):
        place = f"{message_place(identifier)}&block={position}"
        yield Problem(place, "hidden-block", "The block is no text that a person saw or wrote.")
    yield from attached
    yield from citation_items(identifier, citations_of(message, sources))


def _current(conversation: Mapping[str, Any], messages: list[Mapping[str, Any]]) -> set[str]:
    """The messages up to the current one, where the conversation has branches; empty where it has none."""
    parents = {uuid: message.get("parent_message_uuid") for message, uuid in _named(messages)}
    leaf = as_text(conversation.get("current_leaf_message_uuid"))
    children = Counter(parent for parent in parents.values() if isinstance(parent, str) and parent in parents)
    if leaf is None and max(children.values(), default=0) > 1:
        leaf = next(reversed(parents))
    return set(ancestry(leaf, parents))


def _named(messages: list[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], str]]:
    for message in messages:
        uuid = as_text(message.get("uuid"))
        if uuid is not None:
            yield message, uuid

"""A prompt of Google AI Studio: one conversation as a list of chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.chat_attachment import Attachment, attachment_items
from tenant_pipeline.intake.readers.chat_citation import Citation, citation_items
from tenant_pipeline.intake.readers.chat_json import as_list, as_map, as_text, json_values
from tenant_pipeline.intake.readers.chat_message import (
    ASSISTANT,
    CURRENT,
    USER,
    hidden,
    message_items,
    message_place,
)
from tenant_pipeline.intake.readers.item import Items, Problem

_ROLES = {"user": USER, "model": ASSISTANT}
_FILES = ("driveDocument", "driveImage", "driveVideo", "driveAudio", "inlineFile", "inlineImage", "inlineData",
          "inlineAudio", "youtubeVideo")  # fmt: skip


def studio_items(stream: BinaryIO, encoding: str) -> Items:
    """The chunks that were said; thoughts and instructions to the model are problems, and so is what was not sent.

    Raises UnreadableError where the file is no whole JSON.
    """
    for instruction in json_values(stream, encoding, "systemInstruction"):
        if _said(as_map(instruction))[0]:
            yield hidden("system")
    position = -1
    for position, chunk in enumerate(json_values(stream, encoding, "chunkedPrompt.chunks.item")):
        yield from _chunk(str(position), as_map(chunk))
    for number, pending in enumerate(json_values(stream, encoding, "chunkedPrompt.pendingInputs.item")):
        if as_text(as_map(pending).get("text")):
            place = message_place(f"pending-{number}")
            yield Problem(place, "unsent-message", "The message was written and not sent.")


def _chunk(identifier: str, chunk: Mapping[str, Any]) -> Items:
    role = _ROLES.get(as_text(chunk.get("role")) or "")
    text, thoughts = _said(chunk)
    attached = list(attachment_items(identifier, _attachments(chunk)))
    if chunk.get("isThought") or role is None:
        yield hidden(identifier)
        return
    if text:
        yield from message_items(
            identifier,
            text,
            assistant="gemini",
            role=role,
            conversation=None,
            created=as_text(chunk.get("createTime")),
            branch=CURRENT,
        )
    elif attached:
        yield Problem(message_place(identifier), "message-without-text", "The message holds attachments and no text.")
    elif not thoughts:
        yield hidden(identifier, "The message is empty.")
    for number in range(1, thoughts + 1):
        place = f"{message_place(identifier)}&block={number}"
        yield Problem(place, "hidden-block", "The block is no text that a person saw or wrote.")
    yield from attached
    yield from citation_items(identifier, _citations(chunk))


def _said(chunk: Mapping[str, Any]) -> tuple[str, int]:
    """The text of a chunk, or of its parts that are no thoughts where it has no text of its own; and how many of its
    parts are thoughts."""
    parts = [as_map(part) for part in as_list(chunk.get("parts"))]
    thoughts = sum(bool(part.get("thought") or part.get("isThought")) for part in parts)
    spoken = [part.get("text") for part in parts if not part.get("thought") and not part.get("isThought")]
    joined = "".join(text for text in spoken if isinstance(text, str)).strip()
    return joined or ("" if thoughts else as_text(chunk.get("text")) or ""), thoughts


def _attachments(chunk: Mapping[str, Any]) -> Iterator[Attachment]:
    for holder in (chunk, *map(as_map, as_list(chunk.get("parts")))):
        for kind in _FILES:
            file = as_map(holder.get(kind))
            if file:
                name = as_text(file.get("name")) or as_text(file.get("fileName"))
                identifier = as_text(file.get("id")) or (kind if name is None else None)
                yield Attachment(name, file.get("mimeType"), file.get("size"), identifier)


def _citations(chunk: Mapping[str, Any]) -> Iterator[Citation]:
    grounding = as_map(chunk.get("grounding"))
    for name in ("groundingSources", "corroborationSegments"):
        for each in as_list(grounding.get(name)):
            source = as_map(each)
            yield Citation(source.get("uri") or source.get("url"), source.get("title"), source.get("text"))
    for each in as_list(as_map(chunk.get("groundingMetadata")).get("groundingChunks")):
        page = as_map(as_map(each).get("web"))
        yield Citation(page.get("uri"), page.get("title"))

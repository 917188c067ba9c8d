"""A message of a ChatGPT export: whether a person saw it, its text, its attachments and its citations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tenant_pipeline.intake.readers.chat_attachment import Attachment
from tenant_pipeline.intake.readers.chat_citation import Citation
from tenant_pipeline.intake.readers.chat_json import as_list, as_map, as_text
from tenant_pipeline.intake.readers.storable import storable

_NOT_SHOWN = frozenset({
    "thoughts", "reasoning_recap", "execution_output", "tether_quote", "tether_browsing_display",
    "tether_browsing_code", "system_error", "computer_output", "sonic_webpage", "user_editable_context",
    "model_editable_context",
})  # fmt: skip
_TOOLS = frozenset({"browser", "web", "python", "bio", "dalle", "canmore", "file_search", "myfiles_browser",
                    "image_gen", "guardian_tool", "computer"})  # fmt: skip
_BEGINS_A_DOCUMENT = "canmore.create_textdoc"
_MARK = re.compile("\ue200([^\ue200\ue201]*)\ue201")
_SECOND_TEXT = re.compile(r'"[^"]*"\s*,\s*"([^"]*)"')
_OLD_MARK = re.compile(r"【[0-9]+(?::[0-9]+)?†[^】]{0,200}】")
_SPOKEN = "audio_transcription"


def is_shown(message: Mapping[str, Any]) -> bool:
    """Whether a person saw the message: it is not hidden, no reasoning, and not addressed to a tool."""
    kind = as_map(message.get("content")).get("content_type")
    recipient = message.get("recipient")
    to_tool = (
        isinstance(recipient, str) and recipient != "all" and (kind == "code" or recipient.split(".")[0] in _TOOLS)
    )
    return not _is_hidden(message) and not to_tool and not (isinstance(kind, str) and kind in _NOT_SHOWN)


def canvas_document(message: Mapping[str, Any]) -> tuple[str | None, str] | None:
    """The title and the text of the document that a message puts on the canvas, where people read it; None for any
    other message, and for a document that is cut off."""
    if message.get("recipient") != _BEGINS_A_DOCUMENT or _is_hidden(message):
        return None
    try:
        document = as_map(json.loads(text_of_content(message)))
    except (ValueError, RecursionError):
        return None
    title, text = as_text(document.get("name")), as_text(document.get("content"))
    return (title and storable(title), storable(text)) if text is not None else None


def _is_hidden(message: Mapping[str, Any]) -> bool:
    return bool(as_map(message.get("metadata")).get("is_visually_hidden_from_conversation"))


def text_of_content(message: Mapping[str, Any]) -> str:
    """What the message says, without the marks that stand for citations; "" where it says nothing."""
    content = as_map(message.get("content"))
    said: list[str] = []
    for part in as_list(content.get("parts")):
        if isinstance(part, str):
            said.append(part)
        elif as_map(part).get("content_type") == _SPOKEN:
            said.append(as_text(as_map(part).get("text")) or "")
    if not any(text.strip() for text in said):
        said = [as_text(content.get(name)) or "" for name in ("text", "result") if as_text(content.get(name))][:1]
    return _OLD_MARK.sub("", _MARK.sub(_unmarked, "\n".join(said))).strip()


def _unmarked(mark: re.Match[str]) -> str:
    """A mark for an entity says its name; others say nothing."""
    kind, _, about = mark[1].partition("\ue202" if "\ue202" in mark[1] else "[")
    if kind != "entity":
        return ""
    named = _SECOND_TEXT.search(about)
    return named[1].strip() if named else ""


def attachments_of(message: Mapping[str, Any]) -> Iterator[Attachment]:
    """The files in the message's metadata, then the images and sounds that its parts point to."""
    for each in as_list(as_map(message.get("metadata")).get("attachments")):
        file = as_map(each)
        media_type = file.get("mime_type") or file.get("mimeType")
        yield Attachment(file.get("name"), media_type, file.get("size"), file.get("id"))
    for part in as_list(as_map(message.get("content")).get("parts")):
        yield from _pointers(as_map(part))


def _pointers(part: Mapping[str, Any]) -> Iterator[Attachment]:
    pointer = as_text(part.get("asset_pointer"))
    if pointer is not None:
        named = as_map(part.get("metadata")).get("file_name") or part.get("name")
        yield Attachment(named, _media_type(part), part.get("size_bytes"), pointer.rsplit("/", 1)[-1])
    for name in ("audio_asset_pointer", "video_container_asset_pointer"):
        inner = as_map(part.get(name))
        if inner:
            yield from _pointers({key: value for key, value in inner.items() if not isinstance(value, dict | list)})


def _media_type(part: Mapping[str, Any]) -> str | None:
    """What the part says of itself; the kind alone where it says no more."""
    kind, form = as_text(part.get("content_type")) or "", as_text(part.get("format"))
    if as_text(part.get("mime_type")):
        return as_text(part.get("mime_type"))
    for start, family in (("image", "image"), ("audio", "audio"), ("video", "video")):
        if kind.startswith(start):
            return f"{family}/{form or '*'}"
    return None


def citations_of(message: Mapping[str, Any]) -> Iterator[Citation]:
    """What the message's metadata cites, in all the places that exports of different years keep it."""
    metadata = as_map(message.get("metadata"))
    for each in as_list(metadata.get("citations")):
        cited = as_map(as_map(each).get("metadata")) or as_map(each)
        yield Citation(cited.get("url"), cited.get("title"), cited.get("text"))
    for each in as_list(metadata.get("content_references")):
        reference = as_map(each)
        yield _source(reference)
        for name in ("items", "sources", "fallback_items"):
            yield from _sources(reference.get(name))
    for each in as_list(as_map(metadata.get("_cite_metadata")).get("metadata_list")):
        yield _source(as_map(each))
    for group in as_list(metadata.get("search_result_groups")):
        yield from _sources(as_map(group).get("entries"))


def _sources(listed: Any) -> Iterator[Citation]:
    for each in as_list(listed):
        entry = as_map(each)
        yield _source(entry)
        for further in as_list(entry.get("supporting_websites")):
            yield _source(as_map(further))


def _source(entry: Mapping[str, Any]) -> Citation:
    return Citation(entry.get("url"), entry.get("title"), entry.get("snippet") or entry.get("text"))

"""A message of a Claude export: its text, what of it is left out, its attachments and its citations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tenant_pipeline.intake.readers.chat_attachment import Attachment
from tenant_pipeline.intake.readers.chat_citation import Citation
from tenant_pipeline.intake.readers.chat_json import as_list, as_map, as_text

_NOT_SHOWN = frozenset({"thinking", "redacted_thinking", "tool_use", "tool_result", "token_budget", "flag"})
_WHOLE = ("create", "rewrite")
"""What is asked of the tool for artifacts with the whole text; of others, with a change to a part of it."""
_PLACEHOLDER = "```\nThis block is not supported on your current device yet.\n```"


def text_of_message(message: Mapping[str, Any]) -> str:
    """The text blocks, or the text where there are none; then the text of the attachments. "" for nothing."""
    texts = [as_text(block.get("text")) for _, block in _blocks(message) if _is_text(block)]
    if not texts:
        whole = message.get("text")
        texts = [as_text(whole.replace(_PLACEHOLDER, "") if isinstance(whole, str) else None)]
    attached = [as_text(as_map(each).get("extracted_content")) for each in as_list(message.get("attachments"))]
    return "\n\n".join(text for text in (*texts, *attached) if text)


def artifacts_of(message: Mapping[str, Any]) -> Iterator[tuple[int, str | None, str]]:
    """The artifacts that a message begins or writes anew: each one's block, from 1, its title and its text."""
    for position, block in _blocks(message):
        made = as_map(block.get("input"))
        text = as_text(made.get("content"))
        of_artifact = block.get("type") == "tool_use" and block.get("name") == "artifacts"
        if of_artifact and made.get("command") in _WHOLE and text is not None:
            yield position, as_text(made.get("title")), text


def left_out(message: Mapping[str, Any]) -> Iterator[int]:
    """The positions, from 1, of the content blocks that are no text a person saw or wrote."""
    artifacts = {position for position, _, _ in artifacts_of(message)}
    for position, block in _blocks(message):
        if position not in artifacts and not _is_text(block):
            yield position


def attachments_of(message: Mapping[str, Any]) -> Iterator[Attachment]:
    """The attachments, whose text the export holds, then the files, of which it holds the names."""
    for name in ("attachments", "files", "files_v2"):
        for each in as_list(message.get(name)):
            file = as_map(each)
            media_type = file.get("file_type") or file.get("mime_type") or file.get("file_kind")
            identifier = file.get("id") or file.get("file_uuid") or file.get("uuid")
            size = file.get("file_size") if file.get("file_size") is not None else file.get("size_bytes")
            yield Attachment(file.get("file_name") or file.get("name"), media_type, size, identifier)


def citations_of(message: Mapping[str, Any], sources: Mapping[str, str]) -> Iterator[Citation]:
    """What the text blocks cite. `sources` are the titles of the pages that the conversation's tools found."""
    for _, block in _blocks(message):
        if not _is_text(block):
            continue
        for each in as_list(block.get("citations")):
            citation = as_map(each)
            details = as_map(citation.get("details"))
            url = as_text(citation.get("url")) or as_text(details.get("url"))
            title = citation.get("title") or details.get("title") or citation.get("document_title")
            quoted = as_text(citation.get("cited_text")) or _span(block["text"], citation)
            yield Citation(url, title or sources.get(url or ""), quoted)


def sources_of(messages: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The titles, by web address, of the pages that the tools of a conversation brought back."""
    found: dict[str, str] = {}
    for message in messages:
        for _, block in _blocks(message):
            if _is_text(block):
                continue
            for each in as_list(block.get("content")):
                page = as_map(each)
                url, title = as_text(page.get("url")), as_text(page.get("title"))
                if url and title:
                    found.setdefault(url, title)
    return found


def _span(text: str, citation: Mapping[str, Any]) -> str | None:
    start, end = citation.get("start_index"), citation.get("end_index")
    if isinstance(start, int) and isinstance(end, int) and 0 <= start < end:
        return text[start:end]
    return None


def _blocks(message: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for position, each in enumerate(as_list(message.get("content")), 1):
        yield position, as_map(each)


def _is_text(block: Mapping[str, Any]) -> bool:
    kind = block.get("type")
    return as_text(block.get("text")) is not None and not (isinstance(kind, str) and kind in _NOT_SHOWN)

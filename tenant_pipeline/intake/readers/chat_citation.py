"""What a message cites: one record for each web address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tenant_pipeline.intake.readers.chat_json import as_text
from tenant_pipeline.intake.readers.chat_message import message_place
from tenant_pipeline.intake.readers.item import Item, Items

CITATIONS = "citations"


@dataclass(frozen=True)
class Citation:
    """A cited page. `cited_text` is what the page says, or, where the export does not hold that, the words of the
    message that lean on it."""

    url: Any
    title: Any = None
    cited_text: Any = None


def citation_items(identifier: str, citations: Iterable[Citation]) -> Items:
    """A record for each web address among a message's citations, with the first title and text that is given."""
    found: dict[str, tuple[str | None, str | None]] = {}
    for citation in citations:
        url = as_text(citation.url)
        if url is None or not is_web_address(url):
            continue
        title, said = found.get(url, (None, None))
        found[url] = (title or as_text(citation.title), said or as_text(citation.cited_text))
    for number, (url, (title, said)) in enumerate(found.items(), 1):
        yield Item(
            CITATIONS,
            f"{message_place(identifier)}&citation={number}",
            {"url": url, "title": title, "message": identifier, "cited_text": said},
        )


def is_web_address(url: str) -> bool:
    """Whether a text is an address on the web, and nothing besides."""
    return url.lower().startswith(("http://", "https://")) and not any(each.isspace() for each in url)

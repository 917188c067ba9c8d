"""What is attached to a message: one record for each file, not its content."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tenant_pipeline.intake.readers.chat_json import as_text
from tenant_pipeline.intake.readers.chat_message import message_place
from tenant_pipeline.intake.readers.item import Item, Items, text_of

ATTACHMENTS = "attachments"


@dataclass(frozen=True)
class Attachment:
    """A file that went with a message, as far as the export tells."""

    name: Any = None
    media_type: Any = None
    size: Any = None
    identifier: Any = None


def attachment_items(identifier: str, attachments: Iterable[Attachment]) -> Items:
    """A record for each file; one that is told of twice, by its id or else in the same words, is one record."""
    known: set[object] = set()
    for attachment in attachments:
        name, file_id = as_text(attachment.name), as_text(attachment.identifier)
        media_type = as_text(attachment.media_type) or mimetypes.guess_type(name or "")[0]
        size = text_of(attachment.size if isinstance(attachment.size, int | float | str) else None)
        same = file_id or (name, media_type, size)
        if same == (None, None, None) or same in known:
            continue
        known.add(same)
        values = {"message": identifier, "name": name, "media type": media_type, "size": size, "id": file_id}
        yield Item(ATTACHMENTS, f"{message_place(identifier)}&attachment={len(known)}", values)

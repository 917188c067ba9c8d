"""Plain text: one file is one item, its first line the title; a date line and a closing address are told apart."""

from __future__ import annotations

import re
from typing import BinaryIO

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items
from tenant_pipeline.intake.text_encoding import text_of_bytes

LONGEST_TEXT = 900_000
_DATE_LINE = re.compile(r"(?:วัน\S*\s*(?:ที่)?\s*)?\d{1,2}\s+\S+\s+\d{4}|\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d{2}-\d{2}")
_ADDRESS = re.compile(r"https?://\S+")


def read_text(stream: BinaryIO, encoding: str) -> Items:
    """The text, in pieces where it is very long."""
    text = text_of_bytes(stream.read(), encoding)
    lines = [line.strip() for line in text.splitlines()]
    filled = [line for line in lines if line]
    if not filled:
        return
    published = next((line for line in filled[1:6] if len(line) < 60 and _DATE_LINE.fullmatch(line)), None)
    addresses = _ADDRESS.findall("\n".join(filled[-3:]))
    for part, begin in enumerate(range(0, len(text), LONGEST_TEXT)):
        values = {
            "title": filled[0][:300],
            "text": text[begin : begin + LONGEST_TEXT].strip(),
            "published": published,
            "url": addresses[-1] if addresses else None,
        }
        yield Item("text", f"part={part + 1}", values, SEGMENTS)

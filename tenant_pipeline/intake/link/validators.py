"""What tells a server which version of a document we have (RFC 9110, section 13)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')
MOST_CHARACTERS = 500


@dataclass(frozen=True)
class Validators:
    """The validators of an answer, and the address that gave it: only there do they mean anything."""

    etag: str = ""
    last_modified: str = ""
    address: str = ""

    @classmethod
    def of(cls, headers: httpx.Headers, address: str) -> Validators:
        """The validators in an answer's headers; malformed ones are left out."""
        etag, date = headers.get("etag", ""), headers.get("last-modified", "")
        found = cls(
            etag if len(etag) <= MOST_CHARACTERS and _ETAG.fullmatch(etag) else "", date if _is_date(date) else ""
        )
        return cls(found.etag, found.last_modified, address) if found else cls()

    def __bool__(self) -> bool:
        return bool(self.etag or self.last_modified)

    def conditions(self, address: str) -> dict[str, str]:
        """The headers that ask for the document only if it has changed."""
        if address != self.address:
            return {}
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}

    def range_condition(self) -> str:
        """The value of If-Range, which takes no weak validator; "" where there is none."""
        if self.etag:
            return "" if self.etag.startswith("W/") else self.etag
        return self.last_modified


def _is_date(text: str) -> bool:
    if not text.isascii() or not text.isprintable() or len(text) > MOST_CHARACTERS:
        return False
    try:
        parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return False
    return True

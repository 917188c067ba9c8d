"""Text that only says something: without characters that would give a terminal or a reader's eye orders."""

from __future__ import annotations

import unicodedata

ORDERS = (
    *(code for code in range(0x20) if code not in (0x09, 0x0A)),
    *range(0x7F, 0xA0),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
"""Control characters (C0 without tab and line feed, DEL, C1) and those that turn the direction of writing by force."""

_REPLACED = dict.fromkeys(ORDERS, "\N{REPLACEMENT CHARACTER}")
_IN_JSON = {code: f"\\u{code:04x}" for code in ORDERS}


def printable(text: str) -> str:
    """The text with U+FFFD in the place of each order."""
    return text.translate(_REPLACED)


def printable_json(text: str) -> str:
    """JSON that means the same, with each order escaped."""
    return text.translate(_IN_JSON)


def is_one_line(text: str) -> bool:
    """Whether nothing in it gives orders, ends a line or is half a character.

    Spaces of any width may be in it, and what shows nothing: people's files have them in their names.
    """
    return printable(text) == text and not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text
    )

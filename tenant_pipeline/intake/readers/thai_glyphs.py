"""Thai as documents draw it: marks set apart from their letter, and glyphs of old fonts with codes of their own."""

from __future__ import annotations

import re
from typing import Any

_PRIVATE_GLYPHS = str.maketrans(
    dict(
        zip(
            map(chr, range(0xF700, 0xF71B)),
            "\u0e10\u0e34\u0e35\u0e36\u0e37\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e0d"
            "\u0e31\u0e4d\u0e47\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e38\u0e39\u0e3a",
            strict=True,
        )
    )
)
_MARK = re.compile(r"[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\uf701-\uf70e\uf710-\uf71a]")
_TONE_BEFORE_VOWEL = re.compile(r"([\u0e48-\u0e4b])([\u0e31\u0e34-\u0e39])")
_PARTED_AM = re.compile(r"\u0e4d([\u0e48-\u0e4b]?)\u0e32")
_AM_BEFORE_TONE = re.compile(r"\u0e33([\u0e48-\u0e4b])")
_WRAP = re.compile(r"(?<=[\u0e00-\u0e7f\u2e80-\u9fff\uff00-\uffef])\n(?=[\u0e00-\u0e7f\u2e80-\u9fff\uff00-\uffef])")


def anchor_marks(characters: list[dict[str, Any]]) -> None:
    """Give each Thai vowel sign and tone mark, in place, the box of the letter it was drawn after.

    Fonts place marks before, above or behind their letter; put in the order of their places they would change order.
    """
    letter: dict[str, Any] | None = None
    for character in characters:
        if not _MARK.fullmatch(character["text"]):
            letter = character
        elif letter is not None and _beside(letter, character):
            character.update({side: letter[side] for side in ("x0", "x1", "top", "bottom", "doctop", "y0", "y1")})


def restore_thai(text: str) -> str:
    """The text in Unicode's characters and in their order: letter, vowel sign, tone mark."""
    text = _TONE_BEFORE_VOWEL.sub(r"\2\1", text.translate(_PRIVATE_GLYPHS))
    return _AM_BEFORE_TONE.sub("\\1\u0e33", _PARTED_AM.sub("\\1\u0e33", text))


def unwrap(text: str) -> str:
    """The lines of a cell as one: nothing between lines of a script that is written without spaces."""
    return " ".join(_WRAP.sub("", text).split())


def _beside(letter: dict[str, Any], mark: dict[str, Any]) -> bool:
    reach = float(letter["size"])
    return bool(abs(mark["x0"] - letter["x1"]) <= reach and abs(mark["top"] - letter["top"]) <= reach)

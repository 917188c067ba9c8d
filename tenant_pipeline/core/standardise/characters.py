"""Characters that look alike made one: width, digits, invisible characters, Thai vowel order, white space."""

from __future__ import annotations

import re
import unicodedata

from tenant_pipeline.core.standardise.reading import Unreadable

INVISIBLE = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
"""Controls, zero-width and bidirectional marks, soft hyphens and Unicode tag characters, as between `[` and `]`."""

INVISIBLE_CHARACTER = re.compile(f"[{INVISIBLE}\ud800-\udfff]")
"""One of these, or a lone surrogate, which no text in UTF-8 can hold."""

_THAI = re.compile("[\u0e00-\u0e7f]")
_THAI_REPEATED_VOWEL = re.compile("([\u0e30\u0e32\u0e33\u0e40-\u0e45])\\1+")
_MARK = "[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]"
_THAI_MARKS = re.compile(f"(?![\u0e31\u0e34-\u0e39][\u0e48-\u0e4c](?!{_MARK})){_MARK}{{2,}}")
"""Two or more marks on a letter, except the usual pair of a vowel sign and one mark above it."""

_THAI_TONES = "\u0e48\u0e49\u0e4a\u0e4b"
_THAI_LOGICAL_ORDER = (
    (re.compile("\u0e40\u0e40"), "\u0e41"),
    (re.compile("\u0e4d([\u0e48-\u0e4b]*)\u0e32"), "\\1\u0e33"),
    (re.compile("([\u0e30\u0e32\u0e33\u0e45]+)([\u0e48-\u0e4b]+)"), "\\2\\1"),
    (re.compile("(?<![\u0e24\u0e26])\u0e45"), "\u0e32"),
)
_THAI_SIGNS_ON_TOP = "\u0e4c\u0e4e"
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_THAI_DIGITS = {0x0E50 + digit: 0x30 + digit for digit in range(10)}
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹣"), "-")
_ROUNDS_TO_A_FIXED_POINT = 6


def thai_spelling(text: str) -> str:
    """`text` with Thai vowels and tone marks in their logical order and written once.

    Two SARA E become SARA AE, NIKHAHIT + SARA AA becomes SARA AM, a tone mark follows the vowel sign on its letter
    and precedes the one behind it: the rules of PyThaiNLP's `normalize`, but no space and no letter is touched. A
    mark typed twice stands once, and of two tone marks on a letter the last counts.
    """
    if not _THAI.search(text):
        return text
    text = _THAI_MARKS.sub(_marks_in_order, text)
    for pattern, replacement in _THAI_LOGICAL_ORDER:
        text = pattern.sub(replacement, text)
    return _THAI_REPEATED_VOWEL.sub(r"\1", text)


def _marks_in_order(marks: re.Match[str]) -> str:
    """The marks on one letter: each vowel sign once, then the last tone mark, then what silences or shortens."""
    each = dict.fromkeys(marks[0])
    vowels = [mark for mark in each if mark not in _THAI_TONES + _THAI_SIGNS_ON_TOP]
    tones = [mark for mark in marks[0] if mark in _THAI_TONES][-1:]
    return "".join([*vowels, *tones, *(mark for mark in each if mark in _THAI_SIGNS_ON_TOP)])


def clean(text: str) -> str:
    """`text` in NFC, without invisible characters, in Thai logical order, white space collapsed to single spaces."""
    if text.isascii():
        return " ".join(INVISIBLE_CHARACTER.sub("", text).split())
    for _ in range(_ROUNDS_TO_A_FIXED_POINT):
        before = text
        text = unicodedata.normalize("NFC", INVISIBLE_CHARACTER.sub("", text))
        text = " ".join(thai_spelling(text).split())
        if text == before:
            break
    return text


def half_width(text: str) -> str:
    """Full-width letters, digits and punctuation as their ASCII forms."""
    return text.translate(_FULL_WIDTH)


def western_digits(text: str) -> str:
    """Thai and full-width digits as 0–9, one character for one character."""
    return text.translate(_THAI_DIGITS)


def coded(text: str) -> str:
    """`text` as codes, numbers and dates are read: clean, half-width, western digits, one kind of dash."""
    return clean(western_digits(half_width(text)).translate(_DASHES))


def without_float_tail(text: str) -> str:
    """A whole number that a spreadsheet wrote as a float, without its `.0`."""
    return re.sub(r"^([0-9]+)\.0+$", r"\1", text)


def something_left(text: str) -> str:
    """`text`, or Unreadable when cleaning left nothing of it."""
    if not text:
        raise Unreadable("value-empty", "Nothing is left of the value once invisible characters are removed.")
    return text

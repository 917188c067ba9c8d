"""Fold characters that look alike to one form, one for one, so that offsets hold in the original.

Personal data is typed with Thai digits (๐๘๑), full-width digits and letters (０８１, ａ＠ｂ), dashes of every
length and invisible characters. Recognisers read the folded text; what they find is cut from the original. An
invisible character becomes a space here, which parts a name from its title; `readings` tells the text without it.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from tenant_pipeline.core.standardise.characters import INVISIBLE_CHARACTER

_DASHES = "‐‑‒–—―−﹘﹣－ー～〜"
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


class _Folding(dict[int, str]):
    """The form of each character, found when it is first seen: there are more than a million."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        digit = unicodedata.decimal(character, None) if code >= 0x80 else None
        if character in _DASHES:
            form = "-"
        elif character in _SPACES or INVISIBLE_CHARACTER.match(character):
            form = " "
        elif digit is not None:
            form = str(digit)
        elif 0xFF01 <= code < 0xFF5F:
            form = chr(code - 0xFEE0)
        else:
            form = character
        self[code] = form
        return form


_FORMS = _Folding()


@lru_cache(maxsize=64)
def fold(text: str) -> str:
    """`text` with digits, full-width forms, dashes and spaces in their ASCII form; always of the same length."""
    return text if text.isascii() else text.translate(_FORMS)

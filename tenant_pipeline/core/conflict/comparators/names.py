"""Names and short texts: within one script, by what tells names apart."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from tenant_pipeline.core.conflict.comparators.pair import Pair
from tenant_pipeline.core.conflict.comparison import Verdict
from tenant_pipeline.core.standardise.names import without_generic_words

_SCRIPTS = ("THAI", "CJK", "LATIN", "CYRILLIC", "ARABIC", "HIRAGANA", "KATAKANA", "HANGUL", "LAO", "MYANMAR", "KHMER")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!,?\d)")


def names_in_different_scripts(pair: Pair) -> Verdict | None:
    """The names are written in different scripts and cannot be compared letter by letter."""
    left, right = _scripts(pair.left), _scripts(pair.right)
    return Verdict.INCOMPARABLE if left and right and not left & right else None


def names_equal_ignoring_case_spacing_and_punctuation(pair: Pair) -> Verdict | None:
    """The names are the same but for case, spacing and punctuation."""
    return _same(_letters(pair.left), _letters(pair.right))


def names_equal_ignoring_accents(pair: Pair) -> Verdict | None:
    """The names are the same but for accents on Latin letters."""
    return _same(_without_accents(_letters(pair.left)), _without_accents(_letters(pair.right)))


def names_equal_ignoring_generic_words(pair: Pair) -> Verdict | None:
    """The names are the same but for a legal form or a word that only says what kind of place is named."""
    return _same(own_words(pair.left, pair.lang), own_words(pair.right, pair.lang))


def names_differ(pair: Pair) -> Verdict:
    """The names differ by more than the way of writing them."""
    return Verdict.DIFFERS


def texts_equal_ignoring_case_spacing_and_punctuation(pair: Pair) -> Verdict | None:
    """The texts are the same but for case, spacing and punctuation."""
    return _same(_letters(pair.left), _letters(pair.right))


def texts_differ(pair: Pair) -> Verdict:
    """The texts differ by more than case, spacing and punctuation."""
    return Verdict.DIFFERS


def _same(left: str, right: str) -> Verdict | None:
    return Verdict.SAME if left and left == right else None


def own_words(name: str, lang: str) -> str:
    """What tells names apart: the letters of a name without the words that only say what kind of thing is named."""
    return _letters(without_generic_words(name, lang))


def _letters(text: str) -> str:
    """What tells texts apart: letters, digits, vowel signs and tone marks, and where one number ends.

    Between two digits whatever parts them stays as one space, or as a slash where there is one: 12/3 is not 123, nor
    the range 12-3. A comma between thousands parts nothing.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept, between = [""], ""
    for character in _THOUSANDS.sub(lambda number: number[0].replace(",", ""), folded):
        if unicodedata.category(character)[0] not in "LNM":
            between += character
            continue
        if between and kept[-1].isdecimal() and character.isdecimal():
            kept.append("/" if "/" in between else " ")
        kept.append(character)
        between = ""
    return "".join(kept)


def _without_accents(letters: str) -> str:
    """Combining marks on Latin letters taken off; those of other scripts (Thai vowels) carry meaning and stay."""
    decomposed = unicodedata.normalize("NFD", letters)
    return "".join(character for character in decomposed if not "\u0300" <= character <= "\u036f")


def _scripts(text: str) -> frozenset[str]:
    return frozenset(script for character in text if character.isalpha() and (script := _script(character)))


@lru_cache(maxsize=8192)
def _script(character: str) -> str:
    """The script of a letter by its Unicode name, "" for one of a script that is not listed."""
    name = unicodedata.name(character, "")
    return next((script for script in _SCRIPTS if name.startswith(script)), "")

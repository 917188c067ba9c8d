"""Names and short texts."""

from __future__ import annotations

import unicodedata

from tenant_pipeline.core.conflict.comparison import Compared, Verdict
from tenant_pipeline.core.standardise.names import name_key
from tenant_pipeline.core.vocabulary import PropertyDefinition


def compare_names(left: str, right: str, lang: str, definition: PropertyDefinition) -> Compared:
    """The names are the same but for case, spacing and punctuation, or but for words that only say what is named."""
    if _same_letters(left, right):
        return Compared(Verdict.SAME, "names_equal_ignoring_case_spacing_and_punctuation")
    key = name_key(left, lang)
    if key and key == name_key(right, lang):
        return Compared(Verdict.SAME, "names_equal_ignoring_generic_words")
    return Compared(Verdict.DIFFERS, "names_differ")


def compare_texts(left: str, right: str, lang: str, definition: PropertyDefinition) -> Compared:
    """The texts are the same but for case, spacing and punctuation."""
    if _same_letters(left, right):
        return Compared(Verdict.SAME, "texts_equal_ignoring_case_spacing_and_punctuation")
    return Compared(Verdict.DIFFERS, "texts_differ")


def _same_letters(left: str, right: str) -> bool:
    """Whether letters, digits and marks are the same; texts without any are told apart as they are written."""
    letters = _letters(left)
    return letters == _letters(right) if letters else left == right


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if unicodedata.category(character)[0] in "LNM")

"""Names and short texts."""

from __future__ import annotations

from tenant_pipeline.core.conflict.comparison import Compared, Verdict
from tenant_pipeline.core.standardise.names import name_key
from tenant_pipeline.core.vocabulary import PropertyDefinition


def compare_names(left: str, right: str, lang: str, definition: PropertyDefinition) -> Compared:
    """The names are the same but for case, spacing and punctuation, or but for words that only say what is named."""
    if _letters(left) == _letters(right):
        return Compared(Verdict.SAME, "names_equal_ignoring_case_spacing_and_punctuation")
    key = name_key(left, lang)
    if key and key == name_key(right, lang):
        return Compared(Verdict.SAME, "names_equal_ignoring_generic_words")
    return Compared(Verdict.DIFFERS, "names_differ")


def compare_texts(left: str, right: str, lang: str, definition: PropertyDefinition) -> Compared:
    """The texts are the same but for case, spacing and punctuation."""
    if _letters(left) == _letters(right):
        return Compared(Verdict.SAME, "texts_equal_ignoring_case_spacing_and_punctuation")
    return Compared(Verdict.DIFFERS, "texts_differ")


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum() or ord(character) > 0x2FF)

"""Running text and category words."""

from __future__ import annotations

from tenant_pipeline.core.pseudonym import without_replacements
from tenant_pipeline.core.standardise.characters import clean, half_width, something_left
from tenant_pipeline.core.standardise.reading import Context, Standardised


def standardise_text(value: str, context: Context) -> Standardised:
    """Text in NFC, without invisible characters, white space collapsed. Punctuation and width stay the writer's."""
    return Standardised(something_left(clean(value)), "text")


def standardise_category(value: str, context: Context) -> Standardised:
    """A category word, half-width and in folded case, so that `Hotel` and `HOTEL` are one category.

    A text with pseudonyms in it keeps its case: theirs counts.
    """
    word = clean(half_width(value))
    if without_replacements(word) != word:
        return Standardised(word, "category")
    while (folded := clean(word.casefold())) != word:
        word = folded
    return Standardised(something_left(word), "category")

"""Whether a field's name holds one of some phrases, in Thai, English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tenant_pipeline.core.mapping.field_words import words_of


@dataclass(frozen=True)
class FieldPhrases:
    """Phrases to look for in field names.

    A Latin phrase fits where its words stand in a row (`date of birth` in `guestDateOfBirth`), never inside a word. A
    Thai or Chinese one fits a stretch between signs that it is the whole of, or, written with `*` at an end, one
    that goes on there: those languages write without spaces, and `วันเกิด*` would fit `วันเกิดเหตุ` too.
    """

    latin: frozenset[tuple[str, ...]]
    other: tuple[str, ...]

    def found_in(self, field: str) -> bool:
        """Whether the field's name holds one of them."""
        words = words_of(field)
        return any(
            words[start : start + length] in self.latin
            for length in {len(phrase) for phrase in self.latin}
            for start in range(len(words) - length + 1)
        ) or any(_fits(phrase, word) for phrase in self.other for word in words if not word.isascii())


def field_phrases(phrases: Iterable[str]) -> FieldPhrases:
    """The phrases, ready to be looked for."""
    known = list(phrases)
    return FieldPhrases(
        latin=frozenset(words_of(phrase) for phrase in known if phrase.isascii()),
        other=tuple(phrase for phrase in known if not phrase.isascii()),
    )


def _fits(phrase: str, word: str) -> bool:
    core = "".join(words_of(phrase))
    begins, ends = phrase.startswith("*"), phrase.endswith("*")
    if begins and ends:
        return core in word
    if ends:
        return word.startswith(core)
    return word.endswith(core) if begins else word == core

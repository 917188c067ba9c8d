"""Names of places, organisations and events: by their letters and words within a script, by their sounds across.

The weights follow from sizes, not from labels: sharing a name by chance is as likely as its words are common.
"""

from __future__ import annotations

from tenant_pipeline.linking.comparators.levels import AtLeast, AtMost, Comparison, Level, Missing, both, either
from tenant_pipeline.linking.comparators.measures import (
    CONTAINED_RARITY,
    EQUAL,
    JARO_WINKLER,
    SAME_VALUE,
    SHARED_RARITY,
    SHARED_SHARE,
    best,
)

SAME_LATIN = best("same_latin", SAME_VALUE, "latin_key")
SAME_THAI = best("same_thai", SAME_VALUE, "thai_key")
SAME_HAN = best("same_han", SAME_VALUE, "han_key")
SAME_KEY = best("same_key", SAME_VALUE, "latin_key", "thai_key", "han_key")
LETTERS = best("letters", JARO_WINKLER, "latin_letters", "thai_letters")
"""Spellings within a script: names in two scripts share no letters."""
WORDS = best("words", SHARED_RARITY, "latin_words", "thai_words", "han_words")
WORDS_SHARE = best("words_share", SHARED_SHARE, "latin_words", "thai_words", "han_words")
CONTAINED = best("contained", CONTAINED_RARITY, "latin_words", "thai_words", "han_words")
SOUND = best("sound", SAME_VALUE, "sound")
SOUND_LETTERS = best("sound_letters", JARO_WINKLER, "sound_letters")
NUMBERS = best("name_numbers", EQUAL, "name_numbers")

DISTINCTIVE, TELLING, COMMON = 14.0, 8.0, 4.0
"""Bits of rarity: of a name that few others have by chance, of one that some have, of hardly a name."""

_TWO_SCRIPTS = either(
    both(AtLeast(SAME_LATIN, COMMON), AtLeast(SAME_THAI, COMMON)),
    both(AtLeast(SAME_LATIN, COMMON), AtLeast(SAME_HAN, COMMON)),
    both(AtLeast(SAME_THAI, COMMON), AtLeast(SAME_HAN, COMMON)),
)

NAMES = Comparison(
    "names",
    Missing(WORDS_SHARE),
    (
        Level("same_in_two_scripts", _TWO_SCRIPTS, 0.3, 0.00008, "Their names in two scripts are the same."),
        Level(
            "same_distinctive", AtLeast(SAME_KEY, DISTINCTIVE), 0.3, 0.00022, "Their names are the same, and are rare."
        ),
        Level("same", AtLeast(SAME_KEY, TELLING), 0.15, 0.0003, "Their names are the same."),
        Level("same_common", AtLeast(SAME_KEY, 0.1), 0.05, 0.0004, "Their names are the same, of common words."),
        Level(
            "another_number",
            both(AtMost(NUMBERS, 0.0), AtLeast(WORDS_SHARE, 0.3)),
            0.02,
            0.02,
            "Their names bear different numbers.",
        ),
        Level(
            "all_words",
            both(AtLeast(WORDS_SHARE, 0.99), AtLeast(WORDS, DISTINCTIVE)),
            0.1,
            0.0001,
            "Their names are the same words in another order.",
        ),
        Level(
            "same_words",
            both(AtLeast(WORDS_SHARE, 0.85), AtLeast(WORDS, DISTINCTIVE)),
            0.1,
            0.0002,
            "Their names are of the same telling words.",
        ),
        Level(
            "contained_distinctive",
            AtLeast(CONTAINED, DISTINCTIVE),
            0.1,
            0.0004,
            "All telling words of one name are in the other.",
        ),
        Level("nearly_same", AtLeast(LETTERS, 0.94), 0.08, 0.0008, "Their names are nearly the same."),
        Level(
            "contained",
            AtLeast(CONTAINED, TELLING),
            0.05,
            0.0010,
            "The words of one name are in the other.",
        ),
        Level("sound_the_same", AtLeast(SOUND, TELLING), 0.03, 0.002, "Their names sound the same."),
        Level(
            "half_the_words",
            both(AtLeast(WORDS_SHARE, 0.5), AtLeast(WORDS, TELLING)),
            0.05,
            0.005,
            "Their names share telling words.",
        ),
        Level(
            "contained_common",
            AtLeast(CONTAINED, COMMON),
            0.04,
            0.005,
            "The common words of one name are in the other.",
        ),
        Level("alike", AtLeast(LETTERS, 0.86), 0.03, 0.012, "Their names are alike."),
        Level("a_word", AtLeast(WORDS, TELLING), 0.03, 0.01, "Their names share a telling word."),
        Level(
            "common_words",
            both(AtLeast(WORDS_SHARE, 0.5), AtLeast(WORDS, COMMON)),
            0.03,
            0.02,
            "Their names share common words.",
        ),
        Level("differ", None, 0.015, 0.95, "Their names differ."),
    ),
)

NAMES_ACROSS_SCRIPTS = Comparison(
    "names_across_scripts",
    either(AtLeast(WORDS_SHARE, 0.0), Missing(SOUND_LETTERS)),
    (
        Level("sound_the_same", AtLeast(SOUND, TELLING), 0.6, 0.004, "Their names sound the same in two scripts."),
        Level("sound_the_same_short", AtLeast(SOUND, 0.1), 0.3, 0.03, "Their short names sound the same."),
        Level("sound_alike", AtLeast(SOUND_LETTERS, 0.9), 0.08, 0.02, "Their names sound alike in two scripts."),
        Level("sound_different", None, 0.02, 0.9, "Their names sound different."),
    ),
)
"""Only where the two have no name in the same script."""

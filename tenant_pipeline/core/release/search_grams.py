"""Pieces of names by which they are found in spite of a typing error, in scripts with and without spaces.

Latin and other spaced words give three letters at a time, with the word's edges marked, as PostgreSQL's pg_trgm has
them; Thai and Chinese runs give two, because their words are short and not set apart. pg_trgm itself finds nothing in
Thai or Chinese where the database's locale does not call their characters letters.
"""

from __future__ import annotations

import re
import unicodedata

from tenant_pipeline.core.standardise.names import to_simplified

_THAI_MARKS = re.compile("[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]")
"""Thai vowels and tone marks above and below the line: the likeliest to be mistyped or left out."""

_RUN = re.compile(r"[\u0e00-\u0e7f]+|[\u3400-\u9fff]+|[^\W_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3400-\u9fff]")


def fold_for_search(text: str) -> str:
    """Case, width, accents, Thai marks and traditional characters folded; runs of letters and digits, single spaces."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    folded = "".join(character for character in folded if not unicodedata.combining(character))
    folded = unicodedata.normalize("NFC", _THAI_MARKS.sub("", folded))
    if re.search(r"[\u3400-\u9fff]", folded):
        folded = to_simplified(folded)
    return " ".join(_RUN.findall(folded))


def search_grams(text: str) -> list[str]:
    """The pieces of a text, in order, each once."""
    grams: set[str] = set()
    for run in fold_for_search(text).split(" "):
        if not run:
            continue
        padded, size = (run, 2) if _UNSPACED.match(run) else (f" {run} ", 3)
        if len(padded) <= size:
            grams.add(padded)
        grams.update(padded[start : start + size] for start in range(len(padded) - size + 1))
    return sorted(grams)

"""The words of a name, each with what sharing it by chance is worth.

A word travels as one integer, a hash beside its rarity, so that the same arithmetic serves Python and SQL.
"""

from __future__ import annotations

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tenant_pipeline.core.generic_words import GENERIC_HAN, GENERIC_THAI, GENERIC_WORDS

RARITY_BITS = 10
RARITY_MASK = (1 << RARITY_BITS) - 1
UNITS_A_BIT = 16
"""A rarity is kept in sixteenths of a bit, in the ten lowest bits of a word's integer."""

GENERIC_RARITY = 1.5
"""Bits: `hotel` stands in so many names of hotels that sharing it says next to nothing."""
BITS_A_LETTER = 2.0
"""The entropy of printed English is below two bits a letter (C. E. Shannon, 1951)."""
BITS_A_HAN_CHARACTER = 5.0
BITS_A_DIGIT = math.log2(10)
MOST_RARITY = 12.0
"""Bits that a word's letters alone may claim: 2 to the 12th is about the number of words in common use."""
FREE = 2
"""So many of a count are not held against a rarity: a thing that is there twice brings its own."""
PSEUDO_RECORDS = 500
"""How many records the assumption from the letters counts for, against those that are counted."""

_PIECES = re.compile(r"[0-9]++(?:st|nd|rd|th)?+(?![a-z])|[฀-๿]+|[㐀-鿿]+|[^\W\d_฀-๿㐀-鿿]+|\d+", re.IGNORECASE)
_ASCII_PIECES = re.compile(r"[0-9]++(?:st|nd|rd|th)?+(?![a-z])|[a-z]+|[0-9]+")
"""The same, where all is ASCII in lower case."""
_APOSTROPHES = re.compile(r"['’‘`´]")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_GENERIC_THAI = re.compile("|".join(GENERIC_THAI))
_THAI_SIGNS = re.compile(r"[\u0e4c\u0e46\u0e2f]")


def plain(text: str) -> str:
    """Text in lower case, its Latin letters without accents, apostrophes closed up."""
    if text.isascii():
        return text.lower().replace("'", "").replace("`", "")
    folded = _APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold())
    if folded.isascii():
        return folded
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", folded)))


@lru_cache(maxsize=65_536)
def words_of(text: str) -> tuple[str, ...]:
    """The words of `text`: runs of letters or digits; Thai runs without their generic beginning, Chinese characters."""
    folded = plain(text)
    if folded.isascii():
        return tuple(dict.fromkeys(_ASCII_PIECES.findall(folded)))
    found: list[str] = []
    for piece in _PIECES.findall(folded):
        if "\u0e00" <= piece[0] <= "\u0e7f":
            found += _split_thai(_THAI_SIGNS.sub("", piece))
        elif "\u3400" <= piece[0] <= "\u9fff":
            found += _split_han(piece)
        else:
            found.append(piece)
    return tuple(dict.fromkeys(found))


def _split_thai(run: str) -> list[str]:
    found = []
    while generic := _GENERIC_THAI.match(run):
        found.append(generic[0])
        run = run[generic.end() :]
    return [*found, run] if run else found


def _split_han(run: str) -> list[str]:
    for generic in GENERIC_HAN:
        if generic in run:
            before, _, after = run.partition(generic)
            return [*_split_han(before), generic, *_split_han(after)]
    return list(run)


@lru_cache(maxsize=262_144)
def assumed_rarity(word: str) -> float:
    """What sharing `word` is worth, in bits, before anything is counted: from its letters.

    A run of Thai is written without spaces and may be two words.
    """
    if word in GENERIC_WORDS:
        return GENERIC_RARITY
    if word[0].isdecimal():
        return min(MOST_RARITY, BITS_A_DIGIT * sum(each.isdecimal() for each in word))
    if "\u3400" <= word[0] <= "\u9fff":
        return min(MOST_RARITY, BITS_A_HAN_CHARACTER * len(word))
    words = 2 if "\u0e00" <= word[0] <= "\u0e7f" else 1
    return min(words * MOST_RARITY, BITS_A_LETTER * len(word))


@lru_cache(maxsize=262_144)
def weighed(word: str) -> int:
    """A word as an integer: its hash, and its assumed rarity."""
    return packed(word, assumed_rarity(word))


def packed(text: str, rarity: float) -> int:
    """A text and its rarity in bits as one integer."""
    return zlib.crc32(text.encode()) << RARITY_BITS | min(RARITY_MASK, round(rarity * UNITS_A_BIT))


def rarity_of(word: int) -> float:
    """The rarity that a word's integer carries, in bits."""
    return (word & RARITY_MASK) / UNITS_A_BIT


class Rarities:
    """How rare things are among the records at hand, from how many records have each integer.

    The rarity is -log2 of the share of records that have it, smoothed by what its letters made likely.
    """

    def __init__(self, counts: Mapping[int, int], records: int) -> None:
        common = sorted(word for word, count in counts.items() if count > FREE)
        self._counts, self._records = counts, records
        self._common = np.array(common, dtype=np.int64)
        self._common_counts = np.array([counts[word] for word in common], dtype=np.int64)

    @classmethod
    def counted(cls, records: Iterable[Iterable[Sequence[int]]]) -> Rarities:
        """Count the integers of each record (the lists of its columns), each once a record."""
        counts: Counter[int] = Counter()
        number = 0
        for lists in records:
            number += 1
            counts.update({each for values in lists for each in values})
        return cls(counts, number)

    def reweighed(self, word: int) -> int:
        """The integer with the rarity that was counted."""
        share = (max(0, self._counts.get(word, 0) - FREE) + PSEUDO_RECORDS * 2.0 ** -rarity_of(word)) / (
            self._records + PSEUDO_RECORDS
        )
        units = round(max(0.0, -math.log2(share)) * UNITS_A_BIT)
        return (word & ~RARITY_MASK) | min(RARITY_MASK, units)

    def all_reweighed(self, words: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The integers with the rarities that were counted, for many at once."""
        count = np.zeros(len(words), dtype=np.int64)
        if len(self._common):
            at = np.minimum(np.searchsorted(self._common, words), len(self._common) - 1)
            count = np.where(self._common[at] == words, self._common_counts[at] - FREE, 0)
        share = (count + PSEUDO_RECORDS * 2.0 ** -((words & RARITY_MASK) / UNITS_A_BIT)) / (
            self._records + PSEUDO_RECORDS
        )
        units = np.minimum(RARITY_MASK, np.round(np.maximum(0.0, -np.log2(share)) * UNITS_A_BIT)).astype(np.int64)
        reweighed: npt.NDArray[np.int64] = (words & ~np.int64(RARITY_MASK)) | units
        return reweighed

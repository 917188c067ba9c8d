"""What the model sees of a word: itself, its ends, whether a list of names or the dictionary has it, its neighbours.

The lists are PyThaiNLP's, read from its package; nothing is downloaded. No part-of-speech tags: they took three
quarters of the time of PyThaiNLP's own model (`thainer_crf_1_5_1`), and its tagger for them is not packaged.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from pythainlp.corpus import thai_family_names, thai_female_names, thai_male_names, thai_words, tnc
from pythainlp.tokenize import word_tokenize

from tenant_pipeline.pii.recognisers.person_titles import TITLE_WORD

_THAI = re.compile(r"[ก-๛]")
_LONGEST = 24
_WORDS_REMEMBERED = 20_000
"""Single words, whose features are the same in every text."""

_NEIGHBOURS = (-3, -2, -1, 1, 2, 3)


@cache
def given_names() -> frozenset[str]:
    """Thai given names: about 12,000."""
    return frozenset(thai_female_names() | thai_male_names())


@cache
def family_names() -> frozenset[str]:
    """Thai family names: about 10,000."""
    return frozenset(thai_family_names())


@cache
def _dictionary() -> frozenset[str]:
    return frozenset(thai_words())


@cache
def _frequencies() -> Mapping[str, int]:
    """How often a word stands in the Thai National Corpus."""
    return dict(tnc.unigram_word_freqs())


def words_of_text(text: str) -> list[str]:
    """The text's words, spaces included; together they are the text again."""
    words: list[str] = word_tokenize(text, engine="newmm")
    return words


@lru_cache(maxsize=_WORDS_REMEMBERED)
def _kind(word: str) -> str:
    if word.isspace():
        return "_"
    if word.isdigit():
        return "D"
    kind = "G" if word in given_names() else ""
    kind += "F" if word in family_names() else ""
    kind += "O" if _THAI.search(word) and word not in _dictionary() else ""
    return kind + ("T" if TITLE_WORD.fullmatch(word) else "")


@lru_cache(maxsize=_WORDS_REMEMBERED)
def _own(word: str) -> tuple[str, ...]:
    if word.isspace():
        return ("space",)
    if word.isdigit():
        return ("digits",)
    script = "th" if _THAI.search(word) else "la" if word.isalpha() else "other"
    features = [
        "w=" + (word if len(word) <= _LONGEST else "long"),
        "script=" + script,
        f"length={min(len(word), 8)}",
        f"frequency={int(math.log2(_frequencies().get(word, 0) + 1)) // 3}",
        "kind=" + _kind(word),
    ]
    features += [f"{mark}={mark}" for mark in _kind(word)]
    for size in (1, 2, 3):
        if len(word) > size:
            features += [f"begins={word[:size]}", f"ends={word[-size:]}"]
    return tuple(features)


@lru_cache(maxsize=6 * _WORDS_REMEMBERED)
def _neighbour(distance: int, word: str | None) -> tuple[str, ...]:
    if word is None:
        return (f"{distance}:end",)
    if word.isspace():
        return (f"{distance}:_",)
    itself = f"{distance}:{word if len(word) <= _LONGEST else 'long'}"
    return (itself,) if abs(distance) == 3 else (itself, f"{distance}:kind={_kind(word)}")


def features_of(words: Sequence[str]) -> list[list[str]]:
    """The features of each word."""
    padded: list[str | None] = [None] * 3 + list(words) + [None] * 3
    kinds = ["end" if word is None else _kind(word) for word in padded]
    rows = []
    for position, word in enumerate(words, 3):
        row = list(_own(word))
        for distance in _NEIGHBOURS:
            row += _neighbour(distance, padded[position + distance])
        row.append(f"kinds-1,0={kinds[position - 1]},{kinds[position]}")
        row.append(f"kinds0,1={kinds[position]},{kinds[position + 1]}")
        row.append(f"kinds-2,-1={kinds[position - 2]},{kinds[position - 1]}")
        row += _joined(padded, position)
        rows.append(row)
    return rows


def _joined(padded: Sequence[str | None], position: int) -> list[str]:
    """Which lists have the word together with its neighbours: the tokeniser cuts names it does not know."""
    features = []
    for first, last in ((0, 1), (0, 2), (-1, 0), (-2, 0)):
        parts = [part for part in padded[position + first : position + last + 1] if part is not None]
        if len(parts) <= last - first:
            continue
        joined = "".join(parts)
        if joined in given_names():
            features.append(f"given{first},{last}")
        if joined in family_names():
            features.append(f"family{first},{last}")
    return features

"""What a whole column says of its bare numbers, and whether it holds names of persons.

One cell `1690000000000` may be a Thai national id or a time stamp: one number in eleven has a right check digit. A
column of ids has it in every cell, a column of time stamps in one of eleven, so the column decides where neither its
name nor the words around the number do. `Charlie Palmer` may be a restaurant; a column in which many values
are a listed given name and a family name is a list of people.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.pii.analyzer import folded_values
from tenant_pipeline.pii.nearby_words import NO_SERIES, SERIES
from tenant_pipeline.pii.recognisers.folded import BareSeries
from tenant_pipeline.pii.recognisers.person_cell import PERSONS, looks_like_a_person
from tenant_pipeline.pii.recognisers.registry import RECOGNISERS

_SAMPLE = 2_000
_MOST = 0.5
_FEWEST_NAMES, _MANY_NAMES = 10, 0.35
"""So many distinct values, and this share of them, must look like names of persons: of places 2 % do."""

_ENOUGH_TO_DENY = 20
"""Fewer bare numbers than this prove nothing against the kind; a doubt is settled in favour of privacy."""

_NO_LETTERS = r"^\P{L}+$"


def column_evidence(distinct: pa.Array, settled: Sequence[str] = ()) -> tuple[str, ...]:
    """Context for a column, from distinct values of it: of its bare numbers and names, what `settled` does not tell.

    Folding takes longest, so only what may be a number, and the sample in which names are looked for, is folded.
    """
    unlettered = distinct.filter(pc.fill_null(pc.match_substring_regex(distinct, _NO_LETTERS), False))
    numbers = number_evidence(folded_values(unlettered), settled)
    persons = () if SERIES + PERSONS in settled else person_evidence(folded_values(sampled(distinct)))
    return (*numbers, *persons)


def number_evidence(folded: pa.Array, settled: Sequence[str] = ()) -> tuple[str, ...]:
    """What distinct folded values say of their bare numbers, of each kind on which `settled` does not tell yet.

    Sorted registers begin with numbers of one kind, so each kind has a sample of its own, and where one batch held
    none of a kind, a later one decides.
    """
    digits = _bare_numbers(folded)
    if len(digits) == 0:
        return ()
    kinds = (recogniser.series for recogniser in RECOGNISERS if recogniser.series is not None)
    open_ = (kind for kind in kinds if not {SERIES + kind.kind, NO_SERIES + kind.kind} & set(settled))
    return tuple(said for kind in open_ if (said := _evidence(kind, digits)))


def person_evidence(folded: pa.Array) -> tuple[str, ...]:
    """Whether distinct folded values are names of persons, as context for each of them."""
    return (SERIES + PERSONS,) if _holds_persons(folded) else ()


def sampled(values: pa.Array, most: int = _SAMPLE) -> pa.Array:
    """At most so many of the values, from all over the column and the same ones each time."""
    if len(values) <= most:
        return values
    return values.take(pa.array(random.Random(0).sample(range(len(values)), most)))


def _bare_numbers(folded: pa.Array) -> pa.Array:
    """Those of the texts that are whole numbers and nothing else: their digits."""
    fits = pc.fill_null(pc.match_substring_regex(folded, r"^\s*[0-9]{9,19}(?:\.0+)?\s*$"), False)
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(folded.filter(fits)), r"\.0+$", "")


def _holds_persons(folded: pa.Array) -> bool:
    sample = [text for text in sampled(folded).to_pylist() if text is not None and text.strip()]
    if len(sample) < _FEWEST_NAMES:
        return False
    return sum(map(looks_like_a_person, sample)) >= _MANY_NAMES * len(sample)


def _evidence(series: BareSeries, digits: pa.Array) -> str:
    competes = pc.match_substring_regex(digits, f"^(?:{series.population.pattern})$")
    competing = sampled(digits.filter(competes)).to_pylist()
    if not competing:
        return ""
    if sum(map(series.valid, competing)) >= _MOST * len(competing):
        return SERIES + series.kind
    return NO_SERIES + series.kind if len(competing) >= _ENOUGH_TO_DENY else ""

"""A record as it should come out, or as it was read, and which belong together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tenant_pipeline.evaluation.counts import Counts

FOUND_FROM = 0.5
"""A record counts as found from this share of its expected fields on: less might be any other row."""


@dataclass(frozen=True)
class Record:
    """A record: its place, and its fields that have a value."""

    place: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Pair:
    """An expected record and the one found for it, if there is one."""

    expected: Record | None
    found: Record | None


def paired(expected: Sequence[Record], found: Sequence[Record]) -> list[Pair]:
    """Each expected record with the found one that has most fields in common with it, the surest pairs first.

    None is used twice; ties go by order. Records that are left over stand alone.
    """
    holders: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, record in enumerate(found):
        for field in record.values.items():
            holders[field].append(number)
    candidates = []
    for wanted, record in enumerate(expected):
        common = Counter(number for field in record.values.items() for number in holders.get(field, ()))
        candidates += [
            (-shared, wanted, number) for number, shared in common.items() if shared >= FOUND_FROM * len(record.values)
        ]
    by_expected: dict[int, int] = {}
    used: set[int] = set()
    for _, wanted, number in sorted(candidates):
        if wanted not in by_expected and number not in used:
            by_expected[wanted] = number
            used.add(number)
    pairs = [Pair(record, found[by_expected[n]] if n in by_expected else None) for n, record in enumerate(expected)]
    return pairs + [Pair(None, record) for number, record in enumerate(found) if number not in used]


def record_counts(pairs: Sequence[Pair]) -> Counts:
    """How many records were found, made up and missed."""
    return Counts(
        sum(pair.expected is not None and pair.found is not None for pair in pairs),
        sum(pair.expected is None for pair in pairs),
        sum(pair.found is None for pair in pairs),
    )


def field_counts(pairs: Sequence[Pair]) -> Counts:
    """How many fields have the value that they should have; a wrong value is made up and missed at once."""
    total = Counts()
    for pair in pairs:
        wanted = set(pair.expected.values.items()) if pair.expected else set()
        read = set(pair.found.values.items()) if pair.found else set()
        total += Counts(len(wanted & read), len(read - wanted), len(wanted - read))
    return total

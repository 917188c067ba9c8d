"""What can be measured of two records, each measure once for Python and once for SQL (DuckDB's).

A record is a mapping of columns, each a list of values; a measure is the best over all pairs of values, or missing
when one side has none. Texts that are compared letter by letter are ASCII: both engines then count the same letters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from tenant_pipeline.core.distance import EARTH_RADIUS_METRES, metres_between
from tenant_pipeline.linking.words import RARITY_BITS, RARITY_MASK, UNITS_A_BIT

Record = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Pairing:
    """How one value is held against another: a name, the Python, and the SQL over `{a}` and `{b}`.

    Where `first` is given, it is computed once for several pairings, and `sql` is over its outcome, `{w}`.
    """

    name: str
    of: Callable[[Any, Any], float]
    sql: str
    first: str = ""

    def over_shared(self, outcome: str) -> str:
        """The SQL over the outcome of `first`."""
        return self.sql.replace("{w}", outcome)

    def over(self, a: str, b: str) -> str:
        """The SQL over two expressions."""
        return self.sql.replace("{a}", a).replace("{b}", b)


@dataclass(frozen=True)
class Measure:
    """The best (greatest, or least) of a pairing over the values of columns: each of `columns` is (left's, right's)."""

    name: str
    columns: tuple[tuple[str, str], ...]
    pairing: Pairing
    least: bool = False

    def of(self, left: Record, right: Record) -> float | None:
        """The measure of two records; None when no two values meet."""
        best: float | None = None
        compare = self.pairing.of
        for one, other in self.columns:
            for a in left.get(one, ()):
                for b in right.get(other, ()):
                    found = compare(a, b)
                    if best is None or (found < best if self.least else found > best):
                        best = found
        return best

    def sql(self) -> str:
        """The measure over columns `l_…` and `r_…`, and over what `shared_sql` made."""
        among = "least" if self.least else "greatest"
        each = [self._column_sql(f"l_{one}", f"r_{other}") for one, other in self.columns]
        return each[0] if len(each) == 1 else f"{among}({', '.join(each)})"

    def shared_sql(self) -> dict[str, str]:
        """What is to be computed first, once for all measures that stand on it: columns by name."""
        if not self.pairing.first:
            return {}
        return {_shared_name(one): _all_pairs(f"l_{one}", f"r_{other}", self.pairing) for one, other in self.columns}

    def _column_sql(self, one: str, other: str) -> str:
        """Most records have one value in a column, and that needs no walk over two lists."""
        pick = "list_min" if self.least else "list_max"
        if self.pairing.first:
            name = _shared_name(one.removeprefix("l_"))
            several = f"{pick}(list_transform({name}, lambda w: {self.pairing.over_shared('w')}))"
            single = self.pairing.over_shared(f"{name}[1]")
            return f"CASE WHEN {name} IS NULL THEN NULL WHEN len({name}) = 1 THEN {single} ELSE {several} END"
        single = self.pairing.over(f"{one}[1]", f"{other}[1]")
        several = f"{pick}({_walked(one, other, self.pairing.sql)})"
        none = f"{one} IS NULL OR {other} IS NULL"
        return f"CASE WHEN {none} THEN NULL WHEN len({one}) = 1 AND len({other}) = 1 THEN {single} ELSE {several} END"


def _walked(one: str, other: str, sql: str) -> str:
    """A list of what `sql` gives for every value of one column with every value of the other."""
    pairing = sql.replace("{a}", "a").replace("{b}", "b")
    return f"flatten(list_transform({one}, lambda a: list_transform({other}, lambda b: {pairing})))"


def _all_pairs(one: str, other: str, pairing: Pairing) -> str:
    """What a pairing computes first, for every value with every value; of one value each without a walk."""
    single = pairing.first.replace("{a}", f"{one}[1]").replace("{b}", f"{other}[1]")
    return (
        f"CASE WHEN {one} IS NULL OR {other} IS NULL THEN NULL WHEN len({one}) = 1 AND len({other}) = 1 "
        f"THEN [{single}] ELSE {_walked(one, other, pairing.first)} END"
    )


def _shared_name(column: str) -> str:
    return f"shared_{column}"


def best(name: str, pairing: Pairing, *columns: str) -> Measure:
    """The greatest of `pairing` between two values of one of the columns."""
    return Measure(name, tuple((each, each) for each in columns), pairing)


def crossed(name: str, pairing: Pairing, one: str, other: str) -> Measure:
    """The greatest of `pairing` between a value of one column and a value of the other: fields that were swapped."""
    return Measure(name, ((one, other), (other, one)), pairing)


def _shared_units(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(each & RARITY_MASK for each in a if each in b)


def _units(a: Sequence[int]) -> int:
    return sum(each & RARITY_MASK for each in a)


_BOTH_HAVE = "list_filter({a}, lambda x: list_contains({b}, x))"
_SHARED = f"coalesce(list_sum(list_transform({_BOTH_HAVE}, lambda x: x & {RARITY_MASK})), 0)"
_UNITS_A, _UNITS_B = (
    f"coalesce(list_sum(list_transform({side}, lambda x: x & {RARITY_MASK})), 0)" for side in ("{a}", "{b}")
)
NEARLY_ALL = 0.9


def _shared_rarity(a: Sequence[int], b: Sequence[int]) -> float:
    return _shared_units(a, b) / UNITS_A_BIT


def _shared_share(a: Sequence[int], b: Sequence[int]) -> float:
    return _shared_units(a, b) / max(1, _units(a), _units(b))


def _contained_rarity(a: Sequence[int], b: Sequence[int]) -> float:
    shared = _shared_units(a, b)
    return shared / UNITS_A_BIT if shared >= NEARLY_ALL * min(_units(a), _units(b)) else 0.0


JARO_WINKLER = Pairing(
    "jaro_winkler", lambda a, b: float(JaroWinkler.similarity(a, b)), "jaro_winkler_similarity({a}, {b})"
)
EDITS = Pairing("edits", lambda a, b: float(DamerauLevenshtein.distance(a, b)), "damerau_levenshtein({a}, {b})")
EQUAL = Pairing("equal", lambda a, b: float(a == b), "({a} = {b})::INTEGER")
SAME_VALUE = Pairing(
    "same_value",
    lambda a, b: min(a & RARITY_MASK, b & RARITY_MASK) / UNITS_A_BIT if a >> RARITY_BITS == b >> RARITY_BITS else 0.0,
    f"CASE WHEN {{a}} >> {RARITY_BITS} = {{b}} >> {RARITY_BITS} "
    f"THEN least({{a}} & {RARITY_MASK}, {{b}} & {RARITY_MASK}) / {UNITS_A_BIT}.0 ELSE 0.0 END",
)
"""The rarity in bits of a packed value that both have, 0 when they differ."""
_WORDS = f"{{'shared': {_SHARED}, 'a': {_UNITS_A}, 'b': {_UNITS_B}}}"
SHARED_RARITY = Pairing("shared_rarity", _shared_rarity, f"{{w}}.shared / {UNITS_A_BIT}.0", _WORDS)
"""The rarity in bits of the words that two names share."""
SHARED_SHARE = Pairing("shared_share", _shared_share, "{w}.shared::DOUBLE / greatest(1, {w}.a, {w}.b)", _WORDS)
"""The share (0–1) of the richer name that the two share, by rarity."""
CONTAINED_RARITY = Pairing(
    "contained_rarity",
    _contained_rarity,
    f"CASE WHEN {{w}}.shared >= {NEARLY_ALL}::DOUBLE * least({{w}}.a, {{w}}.b) "
    f"THEN {{w}}.shared / {UNITS_A_BIT}.0 ELSE 0.0 END",
    _WORDS,
)
"""The rarity in bits of what is shared where nearly all of one name is within the other, else 0."""


def _tolerances(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    metres = metres_between(
        (math.radians(a["latitude"]), math.radians(a["longitude"])),
        (math.radians(b["latitude"]), math.radians(b["longitude"])),
    )
    return metres / max(a["tolerance"], b["tolerance"])


TOLERANCES = Pairing(
    "tolerances",
    _tolerances,
    f"{2 * EARTH_RADIUS_METRES} * asin(least(1.0, sqrt(pow(sin(radians({{b}}.latitude - {{a}}.latitude) / 2), 2) + "
    "cos(radians({a}.latitude)) * cos(radians({b}.latitude)) "
    "* pow(sin(radians({b}.longitude - {a}.longitude) / 2), 2)))) "
    "/ greatest({a}.tolerance, {b}.tolerance)",
)
"""The distance (haversine), in the tolerances of what is placed."""

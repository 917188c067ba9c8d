"""Comparisons in levels: what two records show, how often one thing shows it, and how often two things do.

After I. P. Fellegi and A. B. Sunter, A Theory for Record Linkage (1969): a level weighs log2(m / u) bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tenant_pipeline.linking.comparators.measures import Measure, Record

Measured = Callable[[Measure], float | None]
"""The measure of the pair in hand."""


@dataclass(frozen=True)
class AtLeast:
    """Whether a measure reaches a bound; a missing one does not."""

    measure: Measure
    bound: float

    def holds(self, measured: Measured) -> bool:
        """Whether it does."""
        value = measured(self.measure)
        return value is not None and value >= self.bound

    def sql(self) -> str:
        """The same over the measures' columns."""
        return f"{self.measure.name} >= {self.bound}"


@dataclass(frozen=True)
class AtMost:
    """Whether a measure stays within a bound; a missing one does not."""

    measure: Measure
    bound: float

    def holds(self, measured: Measured) -> bool:
        """Whether it does."""
        value = measured(self.measure)
        return value is not None and value <= self.bound

    def sql(self) -> str:
        """The same over the measures' columns."""
        return f"{self.measure.name} <= {self.bound}"


@dataclass(frozen=True)
class All:
    """Whether all conditions hold."""

    conditions: tuple[Condition, ...]

    def holds(self, measured: Measured) -> bool:
        """Whether they do."""
        return all(each.holds(measured) for each in self.conditions)

    def sql(self) -> str:
        """The same over the measures' columns."""
        return "(" + " AND ".join(each.sql() for each in self.conditions) + ")"


@dataclass(frozen=True)
class AnyOf:
    """Whether one of the conditions holds."""

    conditions: tuple[Condition, ...]

    def holds(self, measured: Measured) -> bool:
        """Whether one does."""
        return any(each.holds(measured) for each in self.conditions)

    def sql(self) -> str:
        """The same over the measures' columns."""
        return "(" + " OR ".join(each.sql() for each in self.conditions) + ")"


@dataclass(frozen=True)
class Missing:
    """Whether a measure could not be taken, because one side has no such value."""

    measure: Measure

    def holds(self, measured: Measured) -> bool:
        """Whether it could not."""
        return measured(self.measure) is None

    def sql(self) -> str:
        """The same over the measures' columns."""
        return f"{self.measure.name} IS NULL"


Condition = AtLeast | AtMost | All | AnyOf | Missing


def both(*conditions: Condition) -> All:
    """All of the conditions."""
    return All(conditions)


def either(*conditions: Condition) -> AnyOf:
    """One of the conditions."""
    return AnyOf(conditions)


@dataclass(frozen=True)
class Level:
    """One outcome of a comparison: when it holds, m, u, and the sentence for a person.

    `m` is the probability that records of one thing show it, `u` that records of two do. The last level of a
    comparison has no condition.
    """

    name: str
    when: Condition | None
    m: float
    u: float
    sentence: str

    @property
    def bits(self) -> float:
        """The weight of the level in bits, to four places."""
        return round(math.log2(self.m / self.u), 4)


@dataclass(frozen=True)
class Comparison:
    """One idea: when it has nothing to say, and its levels, of which the first that holds counts."""

    name: str
    silent: Condition
    levels: tuple[Level, ...]

    def level(self, left: Record, right: Record, memory: dict[str, float | None]) -> int | None:
        """The level that two records show, None where it is silent; `memory` keeps what was measured of them."""

        def measured(measure: Measure) -> float | None:
            if measure.name not in memory:
                memory[measure.name] = measure.of(left, right)
            return memory[measure.name]

        if self.silent.holds(measured):
            return None
        return next(number for number, each in enumerate(self.levels) if each.when is None or each.when.holds(measured))

    def level_sql(self) -> str:
        """The same over the measures' columns; NULL where it is silent."""
        cases = [f"WHEN {each.when.sql()} THEN {number}" for number, each in enumerate(self.levels) if each.when]
        return f"CASE WHEN {self.silent.sql()} THEN NULL {' '.join(cases)} ELSE {len(self.levels) - 1} END"

    def used(self) -> dict[str, Measure]:
        """All measures that the comparison may take, by name."""
        found: dict[str, Measure] = {}
        waiting: list[Condition] = [self.silent, *(each.when for each in self.levels if each.when is not None)]
        while waiting:
            condition = waiting.pop()
            if isinstance(condition, All | AnyOf):
                waiting += condition.conditions
            else:
                found[condition.measure.name] = condition.measure
        return found


def with_levels(comparison: Comparison, weights: Mapping[str, tuple[float, float]]) -> Comparison:
    """The comparison with other (m, u) for the levels that `weights` names."""
    levels = tuple(
        Level(each.name, each.when, *weights.get(each.name, (each.m, each.u)), each.sentence)
        for each in comparison.levels
    )
    return Comparison(comparison.name, comparison.silent, levels)

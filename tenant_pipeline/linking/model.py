"""The model of a kind of thing: how its records become columns, and the comparisons that weigh them.

One definition serves both engines: `Model.levels_of` compares two records in Python, `Model.levels_sql` writes the
same comparisons as SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tenant_pipeline.linking.blocking import bulk_keys
from tenant_pipeline.linking.columns import PLACE_COLUMNS, WEIGHED_COLUMNS, WEIGHED_LISTS, place_columns
from tenant_pipeline.linking.comparators import persons
from tenant_pipeline.linking.comparators.addresses import ADDRESS
from tenant_pipeline.linking.comparators.contacts import EMAIL, START_DATE, TELEPHONE, WEBSITE
from tenant_pipeline.linking.comparators.evidence import Evidence
from tenant_pipeline.linking.comparators.levels import Comparison, with_levels
from tenant_pipeline.linking.comparators.measures import Record
from tenant_pipeline.linking.comparators.names import NAMES, NAMES_ACROSS_SCRIPTS
from tenant_pipeline.linking.comparators.places import AREA, COUNTRY, DISTANCE, POSTCODE, REGION, TOWN
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.person_columns import (
    PERSON_COLUMNS,
    PERSON_WEIGHED,
    PERSON_WEIGHED_LISTS,
    person_columns,
    person_keys,
)
from tenant_pipeline.linking.words import Rarities

Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Model:
    """Comparisons over flat columns. `naming` are the comparisons of which one must speak for the pair to link it;
    `prior_bits` says how likely a pair is one thing before anything is compared; from `match_bits` on it is linked,
    from `grey_bits` on people are asked. In bulk, names must weigh `alone_bits` where two records share a single key: a
    word, and nothing that narrows it. Columns in `weighed` carry rarities, as `weighed_lists` do in lists."""

    name: str
    columns: Mapping[str, str]
    weighed: tuple[str, ...]
    weighed_lists: tuple[str, ...]
    prepare: Callable[[Features], Columns]
    keys: Callable[[Features], list[str]]
    comparisons: tuple[Comparison, ...]
    naming: frozenset[str]
    alone_bits: float
    prior_bits: float
    match_bits: float
    grey_bits: float

    def levels_of(self, left: Record, right: Record) -> tuple[int | None, ...]:
        """The level that two records show in each comparison, None where it is silent."""
        memory: dict[str, float | None] = {}
        return tuple(each.level(left, right, memory) for each in self.comparisons)

    def evidence_of(self, levels: Sequence[int | None]) -> tuple[Evidence, ...]:
        """What the levels weigh, and say."""
        shown = (
            (comparison.name, comparison.levels[level])
            for comparison, level in zip(self.comparisons, levels, strict=True)
            if level is not None
        )
        return tuple(Evidence(name, level.bits, level.sentence) for name, level in shown)

    def reweighed(self, records: Sequence[Columns], chosen: Iterable[int]) -> dict[int, Columns]:
        """The chosen records, by their positions, with rarities counted among all."""
        rarities = Rarities.counted(self._weighed_values(each) for each in records)
        return {position: self._reweighed(records[position], rarities) for position in chosen}

    def with_weights(self, weights: Mapping[str, Mapping[str, tuple[float, float]]]) -> Model:
        """The model with other (m, u) by comparison and level."""
        comparisons = tuple(with_levels(each, weights.get(each.name, {})) for each in self.comparisons)
        return replace(self, comparisons=comparisons)

    def levels_sql(self, pairs: str, records: str, comparisons: Sequence[Comparison] | None = None) -> str:
        """SQL for the rows of `pairs` with the level of each of the comparisons (all of them), as `level_` and its
        name; `records` has an id and the columns."""
        chosen = self.comparisons if comparisons is None else comparisons
        used = {name: measure for each in chosen for name, measure in each.used().items()}
        columns = sorted({column for each in used.values() for pair in each.columns for column in pair})
        sides = ", ".join(f"l.{each} AS l_{each}, r.{each} AS r_{each}" for each in columns)
        shared = {name: sql for each in used.values() for name, sql in each.shared_sql().items()}
        first = ", ".join(["*", *(f"{sql} AS {name}" for name, sql in shared.items())])
        measures = ", ".join(f"{each.sql()} AS {name}" for name, each in used.items())
        levels = ", ".join(f"{each.level_sql()} AS level_{each.name}" for each in chosen)
        made = ", ".join((*used, *shared, *(f"{side}_{each}" for each in columns for side in "lr")))
        return (
            f"SELECT * EXCLUDE ({made}), {levels} FROM (SELECT *, {measures} FROM (SELECT {first} FROM "
            f"(SELECT p.*, {sides} FROM {pairs} p "
            f"JOIN {records} l ON l.id = p.left_id JOIN {records} r ON r.id = p.right_id)))"
        )

    def named_sql(self) -> str:
        """SQL, over the levels of the naming comparisons, for whether one of them speaks for the pair."""
        return "(" + " OR ".join(f"{self._weight_sql(each)} > 0" for each in self.naming_comparisons()) + ")"

    def weight_sql(self, comparisons: Sequence[Comparison] | None = None) -> str:
        """SQL, over the levels of the comparisons (all), for what they weigh together in bits, without the prior."""
        chosen = self.comparisons if comparisons is None else comparisons
        return "(" + " + ".join(self._weight_sql(each) for each in chosen) + ")"

    def naming_comparisons(self) -> tuple[Comparison, ...]:
        """The comparisons of which one must speak for a pair."""
        return tuple(each for each in self.comparisons if each.name in self.naming)

    def other_comparisons(self) -> tuple[Comparison, ...]:
        """The comparisons that only add to what a name says."""
        return tuple(each for each in self.comparisons if each.name not in self.naming)

    def _weight_sql(self, comparison: Comparison) -> str:
        bits = " ".join(f"WHEN {number} THEN {level.bits}" for number, level in enumerate(comparison.levels))
        return f"CASE level_{comparison.name} {bits} ELSE 0.0 END::DOUBLE"

    def _weighed_values(self, record: Columns) -> list[list[int]]:
        plain = [record.get(column, []) for column in self.weighed]
        return plain + [words for column in self.weighed_lists for words in record.get(column, [])]

    def _reweighed(self, record: Columns, rarities: Rarities) -> Columns:
        again = dict(record)
        for column in self.weighed:
            if column in record:
                again[column] = [rarities.reweighed(each) for each in record[column]]
        for column in self.weighed_lists:
            if column in record:
                again[column] = [[rarities.reweighed(each) for each in words] for words in record[column]]
        return again


PLACES = Model(
    name="places",
    columns=PLACE_COLUMNS,
    weighed=WEIGHED_COLUMNS,
    weighed_lists=WEIGHED_LISTS,
    prepare=place_columns,
    keys=bulk_keys,
    comparisons=(
        NAMES, NAMES_ACROSS_SCRIPTS, DISTANCE, AREA, REGION, TOWN, POSTCODE, COUNTRY, ADDRESS, TELEPHONE, WEBSITE,
        EMAIL, START_DATE,
    ),
    naming=frozenset({"names", "names_across_scripts"}),
    alone_bits=4.0,
    prior_bits=-7.0,
    match_bits=4.0,
    grey_bits=0.0,
)  # fmt: skip
"""Places, organisations and events. Among pairs that share a key about one in a hundred is one thing."""

PEOPLE = Model(
    name="people",
    columns=PERSON_COLUMNS,
    weighed=PERSON_WEIGHED,
    weighed_lists=PERSON_WEIGHED_LISTS,
    prepare=person_columns,
    keys=person_keys,
    comparisons=(
        persons.GIVEN, persons.FAMILY, persons.BIRTH_DATE, persons.STREET, persons.TOWN, persons.POSTCODE,
        persons.REGION, persons.NUMBER, persons.TELEPHONE, persons.EMAIL,
    ),
    naming=frozenset({"given_name", "family_name", "birth_date", "number", "email"}),
    alone_bits=0.0,
    prior_bits=-8.0,
    match_bits=3.0,
    grey_bits=-2.0,
)  # fmt: skip
"""People. Fields of a form are filled in apart from each other, so they weigh in full."""

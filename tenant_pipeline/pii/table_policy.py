"""What holds for each field of one table, which takes all of its fields and some of its values to tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

import pyarrow as pa

from tenant_pipeline.core.contract_terms import PiiPolicy
from tenant_pipeline.core.tables import TableDescriptor
from tenant_pipeline.pii.analyzer import PiiAnalyzer
from tenant_pipeline.pii.column_evidence import sampled
from tenant_pipeline.pii.declarations import Declaration, FieldMeaning
from tenant_pipeline.pii.field_policy import FieldPolicy, field_policy
from tenant_pipeline.pii.special_categories import names_person

_SAMPLE = 2_000
"""Distinct values of a field that are looked at to tell what the field is."""

_SAMPLED_ROWS = 200
_PERSONS_SHARE = 0.2
"""From this share of a field's sampled values on that hold a person's name or document, the table holds persons."""

_OF_PERSONS = frozenset({"PERSON", "TH_NATIONAL_ID", "CN_RESIDENT_ID", "PASSPORT"})


@dataclass
class TableFieldPolicies:
    """What holds for each field of one table, settled by the first batch."""

    descriptor: TableDescriptor
    policy: PiiPolicy
    analyzer: PiiAnalyzer
    declarations: Sequence[Declaration]
    meanings: Mapping[int, FieldMeaning]
    found: list[FieldPolicy] = field(default_factory=list)

    def settle(self, columns: Sequence[pa.Array]) -> None:
        """Settle what holds for the fields, whose values in the first batch are `columns`."""

        @cache
        def holds_persons() -> bool:
            return (
                any(map(names_person, self.descriptor.fields))
                or any("Person" in meaning.types for meaning in self.meanings.values())
                or any(map(self._shows_persons, columns))
            )

        self.found = [
            field_policy(
                self.policy,
                self.descriptor,
                name,
                self.meanings.get(position),
                self.declarations,
                values=partial(_distinct, column),
                holds_persons=holds_persons,
            )
            for position, (name, column) in enumerate(zip(self.descriptor.fields, columns, strict=True))
        ]

    def _shows_persons(self, column: pa.Array) -> bool:
        sample = sampled(column.drop_null().unique(), _SAMPLED_ROWS)
        answers = self.analyzer.find_all(sample).values()
        persons = sum(any(one.entity_type in _OF_PERSONS for one in found) for found in answers)
        return persons > 0 and persons >= _PERSONS_SHARE * len(sample)


def _distinct(column: pa.Array) -> list[str]:
    return list(sampled(column.drop_null().unique(), _SAMPLE).to_pylist())

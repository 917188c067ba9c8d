"""The counts that coverage is computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CoverageEvidence:
    """What was counted of one source.

    `expected_slots` are (entity, property) pairs that the contract expects of the entities' types, `filled_slots`
    those that have a value. `names_by_language` counts, of the `named_entities`, those with a name in each language.
    `template_types` are those the tenant's template asks for. A fact is a distinct (entity, property, language); a
    shared one is spoken of by another source too, a corroborated one said the same by another source that is no AI, a
    disputed one is shared and has an open conflict. `age_days` are the days since the source was observed, None when
    nobody said when. Records withheld are those that the PII gate quarantined, or all while it is closed.
    """

    expected_slots: int
    filled_slots: int
    named_entities: int
    names_by_language: Mapping[str, int]
    template_types: int
    template_types_present: int
    statements_mapped: int
    statements_valid: int
    statements: int
    statements_traceable: int
    facts: int
    facts_corroborated: int
    facts_shared: int
    facts_disputed: int
    age_days: int | None
    fresh_within_days: int
    rights_declared: bool
    records_screened: int
    records_withheld: int

"""The counts that coverage is computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CoverageEvidence:
    """What was counted of one source.

    Slots are expected (entity, property) pairs; a fact is a distinct (entity, property, language); a shared one is
    spoken of by two sources or more, a corroborated one said the same by another source that is no AI, a disputed
    one has an open conflict. `names_by_language` counts named entities with a name in each language.
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

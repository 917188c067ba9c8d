"""One function a dimension: numerator, denominator and the reason in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tenant_pipeline.core.coverage.evidence import CoverageEvidence

LANGUAGES = ("th", "en", "zh")


@dataclass(frozen=True)
class Measure:
    """A dimension's score as a fraction. A zero denominator means that there was nothing to judge."""

    numerator: int
    denominator: int
    reason: str


def completeness(evidence: CoverageEvidence) -> Measure:
    """Filled expected properties over expected properties of the entities' types."""
    empty = evidence.expected_slots - evidence.filled_slots
    return Measure(evidence.filled_slots, evidence.expected_slots, f"{empty} expected properties have no value")


def language_completeness(evidence: CoverageEvidence) -> Measure:
    """Names present in Thai, English and Chinese over three times the named entities."""
    named = evidence.named_entities
    present = {language: min(named, evidence.names_by_language.get(language, 0)) for language in LANGUAGES}
    missing = ", ".join(f"{named - count} of {named} in {language}" for language, count in present.items())
    return Measure(sum(present.values()), len(LANGUAGES) * named, f"names are missing for {missing}")


def breadth(evidence: CoverageEvidence) -> Measure:
    """Types of the tenant template that are present over those that it asks for."""
    present, wanted = evidence.template_types_present, evidence.template_types
    return Measure(present, wanted, f"{present} of the {wanted} types of the template are present")


def validity(evidence: CoverageEvidence) -> Measure:
    """Statements that passed standardisation and validation over statements mapped."""
    failed = evidence.statements_mapped - evidence.statements_valid
    return Measure(evidence.statements_valid, evidence.statements_mapped, f"{failed} statements could not be used")


def corroboration(evidence: CoverageEvidence) -> Measure:
    """Facts that another source which is no AI says too over facts."""
    alone = evidence.facts - evidence.facts_corroborated
    return Measure(evidence.facts_corroborated, evidence.facts, f"{alone} facts stand on one source")


def consistency(evidence: CoverageEvidence) -> Measure:
    """Shared facts without an open conflict over shared facts."""
    agreed = evidence.facts_shared - evidence.facts_disputed
    return Measure(agreed, evidence.facts_shared, f"{evidence.facts_disputed} shared facts are disputed")


def timeliness(evidence: CoverageEvidence) -> Measure:
    """Days left of the freshness period over the period; not assessed without a day of observation."""
    if evidence.age_days is None:
        return Measure(0, 0, "nobody said as of when the facts hold")
    period = evidence.fresh_within_days
    left = max(0, min(period, period - evidence.age_days))
    return Measure(left, period, f"observed {evidence.age_days} days ago, fresh within {period}")


def traceability(evidence: CoverageEvidence) -> Measure:
    """Statements with locator and method over statements."""
    lost = evidence.statements - evidence.statements_traceable
    return Measure(evidence.statements_traceable, evidence.statements, f"{lost} statements lead back to no place")


def rights_and_privacy(evidence: CoverageEvidence) -> Measure:
    """Records with declared rights that were not withheld over records screened."""
    if not evidence.rights_declared:
        return Measure(0, evidence.records_screened, "no rights are declared for the source")
    usable = evidence.records_screened - evidence.records_withheld
    return Measure(usable, evidence.records_screened, f"{evidence.records_withheld} records were withheld for privacy")


DIMENSIONS: Mapping[str, Callable[[CoverageEvidence], Measure]] = {
    "completeness": completeness,
    "language_completeness": language_completeness,
    "breadth": breadth,
    "validity": validity,
    "corroboration": corroboration,
    "consistency": consistency,
    "timeliness": timeliness,
    "traceability": traceability,
    "rights_and_privacy": rights_and_privacy,
}
"""Every dimension of the contract and what measures it."""

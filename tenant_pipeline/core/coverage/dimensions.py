"""One function a dimension: numerator, denominator, and the reason in words that follow "because".

Each is monotone: one more good row never lowers it. A zero denominator means that there was nothing to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tenant_pipeline.core.coverage.evidence import CoverageEvidence

LANGUAGES = ("th", "en", "zh")
_LANGUAGE_NAMES = {"th": "Thai", "en": "English", "zh": "Chinese"}


@dataclass(frozen=True)
class Measure:
    """A dimension's score as a fraction, 0 <= numerator <= denominator, and the reason for it.

    `unassessed` says why there was nothing to judge, where more can be said than that.
    """

    numerator: int
    denominator: int
    reason: str
    unassessed: str = ""

    @property
    def why(self) -> str:
        """The reason that goes with the fraction."""
        return self.reason if self.denominator else self.unassessed


def completeness(evidence: CoverageEvidence) -> Measure:
    """Filled expected properties over expected properties of the entities' types."""
    expected, filled = evidence.expected_slots, evidence.filled_slots
    return Measure(filled, expected, f"{_share(expected - filled, expected)} expected properties have no value")


def language_completeness(evidence: CoverageEvidence) -> Measure:
    """Names present in Thai, English and Chinese over three times the named entities."""
    named = evidence.named_entities
    present = {language: min(named, evidence.names_by_language.get(language, 0)) for language in LANGUAGES}
    lacking = [
        f"{_share(named - count, named)} named entities have no {_LANGUAGE_NAMES[language]} name"
        for language, count in present.items()
        if count < named
    ]
    reason = " and ".join(lacking) or "all named entities have a name in each language"
    return Measure(sum(present.values()), len(LANGUAGES) * named, reason)


def breadth(evidence: CoverageEvidence) -> Measure:
    """Types of the tenant template that are present over those that it asks for."""
    present, wanted = evidence.template_types_present, evidence.template_types
    return Measure(present, wanted, f"{present} of the {wanted} types of the template are present")


def validity(evidence: CoverageEvidence) -> Measure:
    """Statements that passed standardisation and validation over statements mapped."""
    mapped = evidence.statements_mapped
    # A value that names several things becomes several statements, of which more may fail than were mapped.
    valid = max(0, evidence.statements_valid)
    return Measure(valid, mapped, f"{_share(mapped - valid, mapped)} statements could not be used")


def corroboration(evidence: CoverageEvidence) -> Measure:
    """Facts that another source which is no AI says too over facts."""
    alone = evidence.facts - evidence.facts_corroborated
    return Measure(evidence.facts_corroborated, evidence.facts, f"{_share(alone, evidence.facts)} facts stand alone")


def consistency(evidence: CoverageEvidence) -> Measure:
    """Shared facts without an open conflict over shared facts."""
    shared, disputed = evidence.facts_shared, evidence.facts_disputed
    return Measure(shared - disputed, shared, f"{_share(disputed, shared)} shared facts are disputed")


def timeliness(evidence: CoverageEvidence) -> Measure:
    """Days left of the freshness period over the period; not assessed without a day of observation."""
    if evidence.age_days is None:
        return Measure(0, 0, "", "nobody said as of when the facts hold")
    period, age = evidence.fresh_within_days, max(0, evidence.age_days)
    return Measure(max(0, period - age), period, f"it was observed {age} days ago and stays fresh for {period}")


def traceability(evidence: CoverageEvidence) -> Measure:
    """Statements with locator and method over statements."""
    lost = evidence.statements - evidence.statements_traceable
    reason = f"{_share(lost, evidence.statements)} statements lead back to no place in the source"
    return Measure(evidence.statements_traceable, evidence.statements, reason)


def rights_and_privacy(evidence: CoverageEvidence) -> Measure:
    """Records with declared rights that were not withheld over records screened."""
    screened, withheld = evidence.records_screened, evidence.records_withheld
    if not evidence.rights_declared:
        return Measure(0, screened, "no rights are declared for the source")
    return Measure(screened - withheld, screened, f"{_share(withheld, screened)} records are withheld for privacy")


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


def _share(part: int, whole: int) -> str:
    """`part` of `whole` for a sentence: "none of the 50", "7 of the 50 (14 %)", "all 50"."""
    if part <= 0:
        return f"none of the {whole}"
    if part >= whole:
        return f"all {whole}"
    percent = 100 * part / whole
    return f"{part} of the {whole} ({'under 1' if percent < 1 else f'{percent:.0f}'} %)"

"""One function a dimension: numerator, denominator, and the reason in words that follow "because".

Each is monotone: one more good row never lowers it. A zero denominator means that there was nothing to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

from tenant_pipeline.core.coverage.evidence import CoverageEvidence
from tenant_pipeline.core.sentences.saying import say

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
    lacking = _share(expected - filled, expected)
    return Measure(filled, expected, say("{share:share} expected properties have no value", share=lacking))


def language_completeness(evidence: CoverageEvidence) -> Measure:
    """Names present in Thai, English and Chinese over three times the named entities."""
    named = evidence.named_entities
    present = {language: min(named, evidence.names_by_language.get(language, 0)) for language in LANGUAGES}
    lacking = [
        say(
            "{share:share} named entities have no {language:word} name",
            share=_share(named - count, named),
            language=_LANGUAGE_NAMES[language],
        )
        for language, count in present.items()
        if count < named
    ]
    if not lacking:
        lacking = [say("all named entities have a name in each language")]
    reason = reduce(lambda one, other: say("{one:sentence} and {other:sentence}", one=one, other=other), lacking)
    return Measure(sum(present.values()), len(LANGUAGES) * named, reason)


def breadth(evidence: CoverageEvidence) -> Measure:
    """Types of the tenant template that are present over those that it asks for."""
    present, wanted = evidence.template_types_present, evidence.template_types
    reason = say(
        "{present:figure} of the {wanted:figure} types of the template are present", present=present, wanted=wanted
    )
    return Measure(present, wanted, reason)


def validity(evidence: CoverageEvidence) -> Measure:
    """Statements that passed standardisation and validation over statements mapped."""
    mapped = evidence.statements_mapped
    # A value that names several things becomes several statements, of which more may fail than were mapped.
    valid = max(0, evidence.statements_valid)
    lost = _share(mapped - valid, mapped)
    return Measure(valid, mapped, say("{share:share} statements could not be used", share=lost))


def corroboration(evidence: CoverageEvidence) -> Measure:
    """Facts that another source which is no AI says too over facts."""
    facts, corroborated = evidence.facts, evidence.facts_corroborated
    alone = _share(facts - corroborated, facts)
    return Measure(corroborated, facts, say("{share:share} facts stand alone", share=alone))


def consistency(evidence: CoverageEvidence) -> Measure:
    """Shared facts without an open conflict over shared facts."""
    return consistency_of(evidence.facts_shared, evidence.facts_disputed)


def consistency_of(shared: int, disputed: int) -> Measure:
    """The consistency of so many shared facts, of which so many are disputed."""
    reason = say("{share:share} shared facts are disputed", share=_share(disputed, shared))
    return Measure(shared - disputed, shared, reason)


def timeliness(evidence: CoverageEvidence) -> Measure:
    """Days left of the freshness period over the period; not assessed without a day of observation."""
    return timeliness_of(evidence.age_days, evidence.fresh_within_days)


def timeliness_of(age_days: int | None, period: int) -> Measure:
    """The timeliness of what was observed so many days ago, or nobody said when, and stays fresh for a period."""
    if age_days is None:
        return Measure(0, 0, "", say("nobody said as of when the facts hold"))
    age = max(0, age_days)
    reason = say("it was observed {age:figure} days ago and stays fresh for {period:figure}", age=age, period=period)
    return Measure(max(0, period - age), period, reason)


def traceability(evidence: CoverageEvidence) -> Measure:
    """Statements with locator and method over statements."""
    lost = evidence.statements - evidence.statements_traceable
    reason = say(
        "{share:share} statements lead back to no place in the source", share=_share(lost, evidence.statements)
    )
    return Measure(evidence.statements_traceable, evidence.statements, reason)


def rights_and_privacy(evidence: CoverageEvidence) -> Measure:
    """Records with declared rights that were not withheld over records screened."""
    screened, withheld = evidence.records_screened, evidence.records_withheld
    if not evidence.rights_declared:
        return Measure(0, screened, say("no rights are declared for the source"))
    reason = say("{share:share} records are withheld for privacy", share=_share(withheld, screened))
    return Measure(screened - withheld, screened, reason)


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
        return say("none of the {whole:figure}", whole=whole)
    if part >= whole:
        return say("all {whole:figure}", whole=whole)
    percent = 100 * part / whole
    share = "under 1 %" if percent < 1 else f"{percent:.0f} %"
    return say("{part:figure} of the {whole:figure} ({share:figure})", part=part, whole=whole, share=share)

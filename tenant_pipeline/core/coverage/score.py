"""Scores and bands. The overall band is the worst blocking dimension, never an average."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from tenant_pipeline.core.contract_terms import CoverageDimension
from tenant_pipeline.core.coverage.dimensions import DIMENSIONS
from tenant_pipeline.core.coverage.evidence import CoverageEvidence
from tenant_pipeline.core.errors import ContractError
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.sentences.saying import say

_WORST_FIRST = (Band.FAIL, Band.WARN, Band.PASS)


@dataclass(frozen=True)
class DimensionScore:
    """A dimension's score: a fraction of integers, its band, and the sentence that explains the band."""

    dimension: str
    numerator: int
    denominator: int
    band: Band
    explanation: str

    @property
    def score(self) -> float | None:
        """The score, 0–1; None where there was nothing to judge."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True)
class Distance:
    """How far a score is from the next better band: `needed` more of what it counts lift it there."""

    band: Band
    needed: int


def score(evidence: CoverageEvidence, dimensions: Iterable[CoverageDimension]) -> tuple[DimensionScore, ...]:
    """The score of each of the contract's dimensions. Raises ContractError for one that the code does not know."""
    scores = []
    for dimension in dimensions:
        if dimension.id not in DIMENSIONS:
            raise ContractError(
                f"There is no dimension {dimension.id}", where="enterprise_intake.json#/coverage_scoring"
            )
        measure = DIMENSIONS[dimension.id](evidence)
        scores.append(judge(dimension, measure.numerator, measure.denominator, measure.why))
    return tuple(scores)


def judge(dimension: CoverageDimension, numerator: int, denominator: int, reason: str) -> DimensionScore:
    """A fraction under a dimension's thresholds. Without anything to judge it is not assessed: never full marks."""
    if denominator == 0:
        why = say("not assessed: {reason:sentence}", reason=reason or say("nothing to judge"))
        return DimensionScore(dimension.id, 0, 0, Band.NOT_ASSESSED, why)
    share = numerator / denominator
    band = Band.PASS if share >= dimension.pass_at else Band.WARN if share >= dimension.warn_at else Band.FAIL
    why = say("{band:word} because {reason:sentence}", band=band, reason=reason)
    return DimensionScore(dimension.id, numerator, denominator, band, why)


def distance(dimension: CoverageDimension, found: DimensionScore) -> Distance | None:
    """How far a score is from a better band, the denominator as it is; None for `pass` and not assessed.

    Of few things, one more can lift a score past the next band: then it is told to which.
    """
    if found.band not in (Band.WARN, Band.FAIL):
        return None
    threshold = dimension.pass_at if found.band is Band.WARN else dimension.warn_at
    needed = max(1, ceil(Fraction(str(threshold)) * found.denominator) - found.numerator)
    return Distance(judge(dimension, found.numerator + needed, found.denominator, "").band, needed)


def overall_band(scores: Sequence[DimensionScore], dimensions: Iterable[CoverageDimension]) -> Band:
    """The worst band among blocking dimensions that could be assessed; not assessed when none could."""
    blocking = {dimension.id for dimension in dimensions if dimension.blocking}
    bands = {each.band for each in scores if each.dimension in blocking}
    return next((band for band in _WORST_FIRST if band in bands), Band.NOT_ASSESSED)


def weighted(scores: Sequence[DimensionScore], dimensions: Iterable[CoverageDimension]) -> float | None:
    """The weighted mean of the assessed scores, for display beside the band; None when there is none."""
    weights = {dimension.id: dimension.weight for dimension in dimensions}
    assessed = [(weights[each.dimension], each.score) for each in scores if each.score is not None]
    total = sum(weight for weight, _ in assessed)
    return sum(weight * value for weight, value in assessed) / total if total else None

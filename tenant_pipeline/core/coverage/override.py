"""An override: somebody answers for a dimension being counted as better than it is, for a reason, until a time.

It lifts a band to its floor and never lowers one; the score stays what it is, and is shown beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tenant_pipeline.core.contract_terms import CoverageDimension
from tenant_pipeline.core.coverage.score import DimensionScore
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.sentences.saying import say

_RANK = {Band.FAIL: 0, Band.NOT_ASSESSED: 0, Band.WARN: 1, Band.PASS: 2}
FLOORS = (Band.WARN, Band.PASS)


@dataclass(frozen=True)
class CoverageOverride:
    """What was given: the dimension, the band that it counts as at least, by whom, why, until when."""

    dimension: str
    floor: Band
    reason: str
    approver: str
    role: str
    expires_at: datetime


def counted_as(found: DimensionScore, override: CoverageOverride | None) -> Band:
    """The band that a score counts as under an override that is in force."""
    if override is None or _RANK[override.floor] <= _RANK[found.band]:
        return found.band
    return override.floor


@dataclass(frozen=True)
class CoverageVerdict:
    """Whether a tenant is green: every blocking dimension counts as passed. `reasons` tell what stands in the way."""

    green: bool
    reasons: tuple[str, ...]


def coverage_verdict(
    scores: Iterable[DimensionScore],
    dimensions: Iterable[CoverageDimension],
    overrides: dict[str, CoverageOverride],
) -> CoverageVerdict:
    """The verdict on these scores. A blocking dimension that was not assessed is not green: nothing speaks for it."""
    found = {each.dimension: each for each in scores}
    reasons = []
    for dimension in dimensions:
        if not dimension.blocking:
            continue
        if dimension.id not in found:
            reason = say("not assessed: {reason:sentence}", reason=say("nothing was scored yet"))
        elif counted_as(found[dimension.id], overrides.get(dimension.id)) is not Band.PASS:
            reason = found[dimension.id].explanation
        else:
            continue
        reasons.append(
            say("{dimension:coverage_dimensions}: {explanation:sentence}", dimension=dimension.id, explanation=reason)
        )
    return CoverageVerdict(not reasons, tuple(reasons))

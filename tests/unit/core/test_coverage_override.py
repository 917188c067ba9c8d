"""What an override does to a band, how far a score is from the next, and when a tenant is green."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tenant_pipeline.core.contract_terms import CoverageDimension
from tenant_pipeline.core.coverage.override import CoverageOverride, counted_as, coverage_verdict
from tenant_pipeline.core.coverage.score import distance, judge
from tenant_pipeline.core.gate import Band

ASKED = CoverageDimension("completeness", "", 1.0, pass_at=0.8, warn_at=0.5, blocking=True)
RANK = {Band.FAIL: 0, Band.NOT_ASSESSED: 0, Band.WARN: 1, Band.PASS: 2}
fractions = st.tuples(st.integers(0, 400), st.integers(0, 400)).map(sorted)


def _override(floor: Band) -> CoverageOverride:
    return CoverageOverride("completeness", floor, "small tenant", "gail", "platform-governance", datetime.now(UTC))


@given(fractions, st.sampled_from([Band.WARN, Band.PASS]))
def test_an_override_lifts_a_band_to_its_floor_and_never_lowers_one(fraction: list[int], floor: Band) -> None:
    found = judge(ASKED, *fraction, "")
    counted = counted_as(found, _override(floor))
    assert RANK[counted] == max(RANK[found.band], RANK[floor])
    assert counted_as(found, None) is found.band


@given(fractions)
@example([0, 1])
def test_what_is_needed_for_the_next_band_is_just_enough(fraction: list[int]) -> None:
    numerator, denominator = fraction
    found = judge(ASKED, numerator, denominator, "")
    to_next = distance(ASKED, found)
    if to_next is None:
        assert found.band in (Band.PASS, Band.NOT_ASSESSED)
        return
    assert judge(ASKED, numerator + to_next.needed, denominator, "").band is to_next.band
    assert judge(ASKED, numerator + to_next.needed - 1, denominator, "").band is found.band


assessed = st.tuples(st.integers(0, 400), st.integers(1, 400)).map(lambda pair: (min(pair), pair[1]))


@given(assessed, assessed)
def test_a_better_score_never_has_a_worse_band(one: tuple[int, int], other: tuple[int, int]) -> None:
    low, high = sorted((judge(ASKED, *each, "") for each in (one, other)), key=lambda found: found.score or 0.0)
    assert RANK[low.band] <= RANK[high.band]


@pytest.mark.parametrize(
    ("fraction", "floor", "green"),
    [((80, 100), None, True), ((79, 100), None, False), ((79, 100), Band.PASS, True), ((79, 100), Band.WARN, False),
     ((0, 0), None, False), ((0, 0), Band.PASS, True)],
)  # fmt: skip
def test_a_tenant_is_green_when_every_blocking_dimension_counts_as_passed(
    fraction: tuple[int, int], floor: Band | None, green: bool
) -> None:
    overrides = {"completeness": _override(floor)} if floor else {}
    advice = CoverageDimension("breadth", "", 1.0, pass_at=0.8, warn_at=0.5, blocking=False)
    scores = [judge(ASKED, *fraction, "x"), judge(advice, 0, 10, "nothing there")]
    verdict = coverage_verdict(scores, [ASKED, advice], overrides)
    assert verdict.green is green
    assert len(verdict.reasons) == (0 if green else 1)


def test_a_dimension_that_nobody_scored_is_not_green() -> None:
    verdict = coverage_verdict([], [ASKED], {})
    assert verdict.reasons == ("completeness: not assessed: nothing was scored yet",)

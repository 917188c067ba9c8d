"""Coverage says what is missing: fractions of integers, bands by threshold, and never an average over what blocks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.contract_terms import CoverageDimension
from tenant_pipeline.core.coverage.evidence import CoverageEvidence
from tenant_pipeline.core.coverage.score import DimensionScore, judge, overall_band, score, weighted
from tenant_pipeline.core.gate import Band

DIMENSIONS = load_contracts().coverage_dimensions

# Four venues, each expected to have a name, an address and a capacity: twelve slots, nine filled.
WORKED = CoverageEvidence(
    expected_slots=12,
    filled_slots=9,
    named_entities=4,
    names_by_language={"th": 4, "en": 3, "zh": 1},
    template_types=5,
    template_types_present=2,
    statements_mapped=50,
    statements_valid=49,
    statements=49,
    statements_traceable=49,
    facts=40,
    facts_corroborated=10,
    facts_shared=20,
    facts_disputed=1,
    age_days=73,
    fresh_within_days=365,
    rights_declared=True,
    records_screened=10,
    records_withheld=1,
)


def _scores(evidence: CoverageEvidence) -> dict[str, DimensionScore]:
    return {each.dimension: each for each in score(evidence, DIMENSIONS)}


@pytest.mark.parametrize(
    ("dimension", "numerator", "denominator", "band"),
    [
        ("completeness", 9, 12, Band.WARN),
        ("language_completeness", 8, 12, Band.WARN),
        ("breadth", 2, 5, Band.WARN),
        ("validity", 49, 50, Band.PASS),
        ("corroboration", 10, 40, Band.WARN),
        ("consistency", 19, 20, Band.PASS),
        ("timeliness", 292, 365, Band.PASS),
        ("traceability", 49, 49, Band.PASS),
        ("rights_and_privacy", 9, 10, Band.WARN),
    ],
)
def test_the_worked_example_by_hand(dimension: str, numerator: int, denominator: int, band: Band) -> None:
    found = _scores(WORKED)[dimension]
    assert (found.numerator, found.denominator, found.band) == (numerator, denominator, band)
    assert found.explanation.startswith(str(band))


def test_the_reason_says_what_would_lift_it() -> None:
    assert "3 of 4 in zh" in _scores(WORKED)["language_completeness"].explanation
    assert "3 expected properties have no value" in _scores(WORKED)["completeness"].explanation


def test_nothing_to_judge_is_not_assessed_and_never_full_marks() -> None:
    nothing = replace(WORKED, expected_slots=0, filled_slots=0, facts_shared=0, facts_disputed=0, age_days=None)
    found = _scores(nothing)
    for dimension in ("completeness", "consistency", "timeliness"):
        assert found[dimension].band is Band.NOT_ASSESSED
        assert found[dimension].score is None


def test_undeclared_rights_fail_whatever_else_is_well() -> None:
    assert _scores(replace(WORKED, rights_declared=False))["rights_and_privacy"].band is Band.FAIL


def test_the_worst_blocking_dimension_decides_and_others_do_not() -> None:
    dimensions = [
        CoverageDimension("a", "", 9, 0.9, 0.5, True),
        CoverageDimension("b", "", 1, 0.9, 0.5, True),
        CoverageDimension("c", "", 9, 0.9, 0.5, False),
    ]
    scores = [judge(dimensions[0], 100, 100, ""), judge(dimensions[1], 1, 100, ""), judge(dimensions[2], 0, 100, "")]
    assert overall_band(scores, dimensions) is Band.FAIL
    assert overall_band([scores[0], scores[2]], dimensions) is Band.PASS
    assert overall_band([judge(dimensions[0], 0, 0, "")], dimensions) is Band.NOT_ASSESSED
    assert weighted(scores, dimensions) == pytest.approx((9 * 1.0 + 1 * 0.01 + 9 * 0.0) / 19)


@given(filled=st.integers(0, 1000), expected=st.integers(1, 1000))
def test_a_value_more_never_lowers_a_score(filled: int, expected: int) -> None:
    filled = min(filled, expected - 1)
    dimension = next(each for each in DIMENSIONS if each.id == "completeness")
    before, after = judge(dimension, filled, expected, ""), judge(dimension, filled + 1, expected, "")
    assert (after.score or 0) > (before.score or 0)
    order = [Band.FAIL, Band.WARN, Band.PASS]
    assert order.index(after.band) >= order.index(before.band)

"""Coverage worked by hand, and what holds whatever the counts are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.contract_terms import CoverageDimension
from tenant_pipeline.core.coverage.dimensions import DIMENSIONS
from tenant_pipeline.core.coverage.evidence import CoverageEvidence
from tenant_pipeline.core.coverage.score import judge, overall_band, score, weighted
from tenant_pipeline.core.errors import ContractError
from tenant_pipeline.core.gate import Band

NOTHING = CoverageEvidence(
    expected_slots=0,
    filled_slots=0,
    named_entities=0,
    names_by_language={},
    template_types=0,
    template_types_present=0,
    statements_mapped=0,
    statements_valid=0,
    statements=0,
    statements_traceable=0,
    facts=0,
    facts_corroborated=0,
    facts_shared=0,
    facts_disputed=0,
    age_days=None,
    fresh_within_days=365,
    rights_declared=True,
    records_screened=0,
    records_withheld=0,
)
VENUES = CoverageEvidence(
    expected_slots=150,
    filled_slots=135,
    named_entities=50,
    names_by_language={"th": 50, "en": 45, "zh": 43},
    template_types=6,
    template_types_present=3,
    statements_mapped=400,
    statements_valid=396,
    statements=396,
    statements_traceable=396,
    facts=300,
    facts_corroborated=75,
    facts_shared=80,
    facts_disputed=2,
    age_days=73,
    fresh_within_days=365,
    rights_declared=True,
    records_screened=52,
    records_withheld=2,
)
"""Fifty venues with three expected properties each; two of 52 records were withheld."""

WORKED = {
    "completeness": (135, 150, "15 of the 150 (10 %) expected properties have no value"),
    "language_completeness": (
        138,
        150,
        "5 of the 50 (10 %) named entities have no English name"
        " and 7 of the 50 (14 %) named entities have no Chinese name",
    ),
    "breadth": (3, 6, "3 of the 6 types of the template are present"),
    "validity": (396, 400, "4 of the 400 (1 %) statements could not be used"),
    "corroboration": (75, 300, "225 of the 300 (75 %) facts stand alone"),
    "consistency": (78, 80, "2 of the 80 (2 %) shared facts are disputed"),
    "timeliness": (292, 365, "it was observed 73 days ago and stays fresh for 365"),
    "traceability": (396, 396, "none of the 396 statements lead back to no place in the source"),
    "rights_and_privacy": (50, 52, "2 of the 52 (4 %) records are withheld for privacy"),
}


def dimension(name: str, *, blocking: bool = True, weight: float = 1.0) -> CoverageDimension:
    return CoverageDimension(name, "", weight, pass_at=0.9, warn_at=0.5, blocking=blocking)


@pytest.mark.parametrize("name", sorted(DIMENSIONS))
def test_each_dimension_as_worked_by_hand(name: str) -> None:
    measure = DIMENSIONS[name](VENUES)
    assert (measure.numerator, measure.denominator, measure.reason) == WORKED[name]


@pytest.mark.parametrize("name", sorted(DIMENSIONS))
def test_where_there_is_nothing_to_judge_nothing_is_assessed(name: str) -> None:
    (found,) = score(NOTHING, [dimension(name)])
    assert (found.numerator, found.denominator, found.score, found.band) == (0, 0, None, Band.NOT_ASSESSED)


def test_the_contracts_dimensions_are_all_known() -> None:
    dimensions = load_contracts().coverage_dimensions
    assert [each.dimension for each in score(VENUES, dimensions)] == [each.id for each in dimensions]


def test_a_dimension_that_nobody_measures_is_refused() -> None:
    with pytest.raises(ContractError):
        score(VENUES, [dimension("beauty")])


def test_the_explanation_says_which_band_and_why() -> None:
    lacking = replace(VENUES, names_by_language={"th": 50, "en": 50, "zh": 43}, named_entities=50)
    (found,) = score(lacking, [replace(dimension("language_completeness"), pass_at=0.99)])
    assert found.explanation == "warn because 7 of the 50 (14 %) named entities have no Chinese name"


@pytest.mark.parametrize(
    ("numerator", "band"), [(90, Band.PASS), (89, Band.WARN), (50, Band.WARN), (49, Band.FAIL), (0, Band.FAIL)]
)
def test_a_threshold_belongs_to_the_better_band(numerator: int, band: Band) -> None:
    assert judge(dimension("completeness"), numerator, 100, "").band is band


def test_without_declared_rights_no_record_counts() -> None:
    assert DIMENSIONS["rights_and_privacy"](replace(VENUES, rights_declared=False)).numerator == 0


def test_stale_and_future_observations_stay_within_the_scale() -> None:
    assert DIMENSIONS["timeliness"](replace(VENUES, age_days=4000)).numerator == 0
    assert DIMENSIONS["timeliness"](replace(VENUES, age_days=-3)).numerator == 365


def test_the_overall_band_is_the_worst_blocking_one_and_never_an_average() -> None:
    dimensions = [dimension("completeness"), dimension("validity"), dimension("breadth", blocking=False)]
    scores = [
        judge(dimensions[0], 100, 100, ""),
        judge(dimensions[1], 49, 100, ""),
        judge(dimensions[2], 0, 100, ""),
    ]
    assert overall_band(scores, dimensions) is Band.FAIL
    assert overall_band([scores[0], scores[2]], dimensions) is Band.PASS
    assert overall_band([scores[2]], dimensions) is Band.NOT_ASSESSED


def test_the_weighted_score_leaves_out_what_was_not_assessed() -> None:
    dimensions = [dimension("completeness", weight=3), dimension("validity", weight=1), dimension("timeliness")]
    scores = [judge(dimensions[0], 1, 2, ""), judge(dimensions[1], 1, 1, ""), judge(dimensions[2], 0, 0, "")]
    assert weighted(scores, dimensions) == pytest.approx((3 * 0.5 + 1 * 1.0) / 4)
    assert weighted(scores[2:], dimensions) is None


GOOD = {
    "completeness": {"expected_slots": 1, "filled_slots": 1},
    "validity": {"statements_mapped": 1, "statements_valid": 1},
    "corroboration": {"facts": 1, "facts_corroborated": 1},
    "consistency": {"facts_shared": 1},
    "traceability": {"statements": 1, "statements_traceable": 1},
    "rights_and_privacy": {"records_screened": 1},
}
"""What one more good row adds to the counts."""


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_one_more_good_row_never_lowers_a_score(name: str, data: st.DataObject) -> None:
    whole = data.draw(st.integers(0, 1000))
    part = data.draw(st.integers(0, whole))
    pairs = {
        "expected_slots": "filled_slots",
        "statements_mapped": "statements_valid",
        "facts": "facts_corroborated",
        "facts_shared": "facts_disputed",
        "statements": "statements_traceable",
        "records_screened": "records_withheld",
    }
    before = replace(NOTHING, **dict.fromkeys(pairs, whole), **dict.fromkeys(pairs.values(), part))
    after = replace(before, **{key: getattr(before, key) + more for key, more in GOOD[name].items()})
    was, (now,) = score(before, [dimension(name)])[0].score, score(after, [dimension(name)])
    assert now.score is not None
    assert 0 <= now.numerator <= now.denominator
    assert was is None or now.score >= was


@given(st.integers(-400, 400), st.integers(0, 400))
def test_validity_stays_a_fraction_when_more_fail_than_were_mapped(valid: int, mapped: int) -> None:
    measure = DIMENSIONS["validity"](replace(NOTHING, statements_valid=min(valid, mapped), statements_mapped=mapped))
    assert 0 <= measure.numerator <= measure.denominator

"""The measures of an evaluation, worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.evaluation.counts import Counts, wilson


def test_the_scores_are_those_worked_by_hand() -> None:
    counts = Counts(true_positives=8, false_positives=2, false_negatives=4)
    assert counts.precision == pytest.approx(0.8)
    assert counts.recall == pytest.approx(8 / 12)
    assert counts.f() == pytest.approx(2 * 0.8 * (2 / 3) / (0.8 + 2 / 3))
    assert counts.f(2.0) == pytest.approx(5 * 0.8 * (2 / 3) / (4 * 0.8 + 2 / 3))


def test_the_interval_is_the_one_in_the_literature() -> None:
    interval = wilson(15, 148)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_what_was_never_tried_has_no_score() -> None:
    assert Counts().precision is None
    assert Counts().recall is None
    assert Counts().f() is None
    assert wilson(0, 0) is None


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_f1_lies_within_its_interval(right: int, wrong: int, missed: int) -> None:
    counts = Counts(right, wrong, missed)
    interval = counts.f1_interval()
    if interval is None:
        assert counts.f() is None
    else:
        assert interval.low - 1e-9 <= (counts.f() or 0.0) <= interval.high + 1e-9

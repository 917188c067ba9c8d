"""What becomes of a source whose run was ended: nobody is stopped for what is away, and the guilty one is found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.setback import (
    FIRST_WAIT,
    LONGEST_WAIT,
    MOST_LOSSES_ALONE,
    Ending,
    Setback,
    Standing,
    set_back,
)


def _after(*endings: Ending) -> Setback:
    found = Setback(Standing())
    for ending in endings:
        found = set_back(ending, found.standing)
    return found


@given(st.integers(1, 500))
def test_an_outage_stops_nobody_and_is_waited_out_ever_more_patiently(times: int) -> None:
    found = _after(*[Ending.OUTAGE] * times)
    assert not found.stopped
    assert not found.standing.alone
    assert FIRST_WAIT <= found.wait <= LONGEST_WAIT
    assert found.wait >= _after(*[Ending.OUTAGE] * max(1, times - 1)).wait


def test_who_was_in_company_is_run_alone_and_who_is_alone_is_stopped_when_it_goes_on() -> None:
    assert _after(Ending.LOST) == Setback(Standing(alone=True))
    endings = [Ending.LOST] * (1 + MOST_LOSSES_ALONE)
    assert not _after(*endings[:-1]).stopped
    assert _after(*endings).stopped
    assert _after(*endings).standing == Standing(alone=True), "what a person puts in line again is still run alone"


@given(st.lists(st.sampled_from([Ending.LOST, Ending.OUTAGE]), max_size=30))
def test_outages_are_held_against_nobody_who_was_in_hand(endings: list[Ending]) -> None:
    losses = endings.count(Ending.LOST)
    stops = False
    found = Setback(Standing())
    for ending in endings:
        found = set_back(ending, found.standing)
        stops = stops or found.stopped
    assert stops == (losses >= 1 + MOST_LOSSES_ALONE)


def test_what_a_person_cancelled_is_stopped_at_once() -> None:
    assert _after(Ending.CANCELLED).stopped


def test_a_source_whose_run_nobody_knows_goes_on_as_it_stood() -> None:
    standing = Standing(alone=True, outages=2, losses=1)
    assert set_back(Ending.ADRIFT, standing) == Setback(standing)

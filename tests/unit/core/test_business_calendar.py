"""SLA time: working days in Bangkok, with Thailand's public holidays and their substitutes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.core.business_calendar import BANGKOK, due_at, is_working_day

TIMES = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))


def bangkok(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BANGKOK)  # type: ignore[misc, arg-type]


def test_a_day_means_the_same_hour_of_the_next_working_day() -> None:
    assert due_at(bangkok(2026, 11, 23, 10), 24) == bangkok(2026, 11, 24, 10)
    assert due_at(bangkok(2026, 11, 27, 16), 24) == bangkok(2026, 11, 30, 16)


def test_new_year_and_the_bridge_day_do_not_count() -> None:
    assert due_at(bangkok(2025, 12, 30, 12), 24) == bangkok(2026, 1, 5, 12)


def test_songkran_and_substitute_days_are_holidays() -> None:
    assert not is_working_day(date(2026, 4, 14))
    assert not is_working_day(date(2026, 6, 1))
    assert is_working_day(date(2026, 4, 16))


def test_the_day_is_bangkoks_not_the_servers() -> None:
    friday_evening = datetime(2026, 11, 27, 18, tzinfo=UTC)
    assert due_at(friday_evening, 1) == bangkok(2026, 11, 30, 1)


def test_no_hours_are_due_at_once_and_nonsense_is_refused() -> None:
    assert due_at(bangkok(2026, 11, 23, 10), 0) == bangkok(2026, 11, 23, 10)
    with pytest.raises(ValueError, match="zone"):
        due_at(datetime(2026, 11, 23), 1)
    with pytest.raises(ValueError, match="hours"):
        due_at(bangkok(2026, 11, 23), -1)


def working_time_between(start: datetime, end: datetime) -> timedelta:
    now, last = start.astimezone(BANGKOK), end.astimezone(BANGKOK)
    passed = timedelta()
    while now < last:
        midnight = min(last, datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), BANGKOK))
        if is_working_day(now.date()):
            passed += midnight - now
        now = midnight
    return passed


@settings(max_examples=60)
@given(TIMES, st.integers(0, 200), st.integers(0, 200))
def test_what_is_due_lies_exactly_that_much_working_time_ahead(start: datetime, hours: int, more: int) -> None:
    due = due_at(start, hours)
    assert working_time_between(start, due) == timedelta(hours=hours)
    assert due_at(start, hours + more) >= due

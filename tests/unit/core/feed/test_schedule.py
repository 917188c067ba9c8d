"""When a feed is asked: by its own clock on the wall, and ever more rarely while it fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.feed.schedule import (
    FIRST_BACK_OFF,
    LONGEST_BACK_OFF,
    MOST_JITTER,
    Schedule,
    due_after_failure,
)

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
CRONS = st.sampled_from(["0 6 * * *", "30 2 * * *", "*/15 * * * *", "0 0 1 * *", "0 9 * * 1-5", "15 1 29 2 *"])
ZONES = st.sampled_from(["Asia/Bangkok", "UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai"])


@given(MOMENTS, CRONS, ZONES)
def test_the_next_time_comes_after_now_and_by_at_most_the_jitter_after_the_clock_says(
    moment: datetime, cron: str, zone: str
) -> None:
    due = Schedule(cron, zone).due_after(moment, "feed-1")
    assert due > moment
    assert due.tzinfo is UTC
    assert Schedule(cron, zone).due_after(moment, "feed-1") == due
    assert due - _on_the_clock(cron, zone, moment) <= MOST_JITTER


def _on_the_clock(cron: str, zone: str, moment: datetime) -> datetime:
    from cronsim import CronSim

    exact: datetime = next(CronSim(cron, moment.astimezone(ZoneInfo(zone)))).astimezone(UTC)
    return exact


def test_a_time_of_bangkok_is_of_bangkok() -> None:
    due = Schedule("30 6 * * *", "Asia/Bangkok").due_after(datetime(2026, 11, 24, 0, 0, tzinfo=UTC), "feed-1")
    assert datetime(2026, 11, 24, 23, 30, tzinfo=UTC) <= due <= datetime(2026, 11, 24, 23, 32, tzinfo=UTC)


def test_feeds_of_one_time_are_not_all_asked_at_once() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    due = {Schedule("0 6 * * *", "Asia/Bangkok").due_after(now, f"feed-{number}") for number in range(100)}
    assert len(due) == 100


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_daily_time_comes_once_a_day_when_the_clocks_change(zone: str) -> None:
    schedule = Schedule("30 2 * * *", zone)
    moment, days = datetime(2026, 1, 1, tzinfo=UTC), []
    while moment < datetime(2027, 1, 1, tzinfo=UTC):
        moment = schedule.due_after(moment, "feed-1")
        days.append(moment.astimezone(ZoneInfo(zone)).date())
    assert len(days) == len(set(days))
    assert len(days) >= 365


@given(MOMENTS, st.integers(1, 10_000), st.one_of(st.none(), st.floats(0, 1e9)))
def test_after_a_failure_it_is_asked_later_and_never_later_than_a_day(
    moment: datetime, failures: int, wanted: float | None
) -> None:
    pause = due_after_failure(moment, "feed-1", failures, wanted) - moment
    assert FIRST_BACK_OFF <= pause <= timedelta(days=1)
    assert wanted is None or wanted > 86_400 or pause >= timedelta(seconds=wanted) - timedelta(microseconds=1)
    assert wanted is not None or pause <= LONGEST_BACK_OFF * 1.2


@pytest.mark.parametrize(
    ("cron", "zone", "where"),
    [
        ("0 6 * *", "Asia/Bangkok", "--cron"),
        ("* * * * *", "Asia/Bangkok", "--cron"),
        ("61 6 * * *", "Asia/Bangkok", "--cron"),
        ("0 6 30 2 *", "Asia/Bangkok", "--cron"),
        ("0 0 6 * * *", "Asia/Bangkok", "--cron"),
        ("; DROP TABLE", "Asia/Bangkok", "--cron"),
        ("0 6 * * *", "Asia/Atlantis", "--time-zone"),
        ("0 6 * * *", "../../etc/passwd", "--time-zone"),
        ("0 6 * * *", "", "--time-zone"),
    ],
)
def test_what_is_no_schedule_is_refused_with_its_place(cron: str, zone: str, where: str) -> None:
    with pytest.raises(InputError) as refused:
        Schedule(cron, zone).check(datetime(2026, 11, 24, tzinfo=UTC))
    assert refused.value.where == where

"""What a month is, which hours count, and what usage comes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.cost.month import Month, hours_within
from tenant_pipeline.core.cost.price import Prices, Usage, lines_of, prices_from, total_of
from tenant_pipeline.core.errors import InputError, SettingsError

NOVEMBER = Month(2026, 11)
LATE = datetime(2027, 6, 1, tzinfo=UTC)
PRICES = Prices("THB", Decimal("3.6"), Decimal("0.75"), Decimal(10), Decimal("1.2"))

moments = st.datetimes(datetime(2026, 9, 1), datetime(2027, 2, 1), timezones=st.just(UTC))
intervals = st.lists(
    st.tuples(moments, st.timedeltas(timedelta(0), timedelta(days=60))).map(lambda each: (each[0], each[0] + each[1]))
)


def test_a_month_begins_and_ends_at_midnight_in_bangkok() -> None:
    assert NOVEMBER.begins == datetime(2026, 10, 31, 17, tzinfo=UTC)
    assert NOVEMBER.ends == datetime(2026, 11, 30, 17, tzinfo=UTC)
    assert Month(2026, 12).ends == Month(2027, 1).begins
    assert Month.of(datetime(2026, 10, 31, 17, tzinfo=UTC)) == NOVEMBER
    assert str(Month.parsed("2026-11")) == "2026-11"
    with pytest.raises(InputError, match="no month"):
        Month.parsed("2026-13")


def test_hours_are_counted_within_the_month_and_up_to_now() -> None:
    begins = NOVEMBER.begins
    before, after = (begins - timedelta(days=3), begins + timedelta(hours=5)), (NOVEMBER.ends, LATE)
    assert hours_within([before, after], NOVEMBER, LATE) == 5
    assert hours_within([(begins, LATE)], NOVEMBER, begins + timedelta(hours=7)) == 7
    assert hours_within([(begins, LATE)], NOVEMBER, begins - timedelta(hours=1)) == 0


@given(intervals)
def test_no_hour_is_counted_twice(given: list[tuple[datetime, datetime]]) -> None:
    hours = hours_within(given, NOVEMBER, LATE)
    assert 0 <= hours <= 30 * 24
    assert hours_within([*given, *given], NOVEMBER, LATE) == pytest.approx(hours)
    marks = [NOVEMBER.begins + timedelta(minutes=30) + timedelta(hours=n) for n in range(30 * 24)]
    inside = sum(any(begins <= mark < ends for begins, ends in given) for mark in marks)
    assert abs(hours - inside) <= len(given) + 1


@given(
    st.builds(
        Usage,
        run_seconds=st.floats(0, 1e7),
        stored_bytes=st.integers(0, 10**13),
        rows=st.integers(0, 10**10),
        instance_hours=st.floats(0, 744),
    )
)
def test_the_total_is_the_sum_of_the_lines_rounded_once(usage: Usage) -> None:
    lines = lines_of(usage, PRICES)
    assert abs(total_of(lines) - sum(line.quantity * line.price for line in lines)) <= Decimal("0.005")


def test_a_usage_comes_to_what_the_prices_say() -> None:
    lines = lines_of(Usage(7200, 2 * 1024**3, 3_000_000, 10), PRICES)
    assert [str(line.amount) for line in lines] == ["7.2", "1.50", "30", "12.0"]
    assert total_of(lines) == Decimal("50.70")


@pytest.mark.parametrize(
    "table",
    [
        "nothing",
        "[]",
        '{"currency": "THB"}',
        '{"currency": "", "run_hour": 1, "gibibyte_month": 1, "million_rows": 1, "instance_hour": 1}',
        '{"currency": "THB", "run_hour": -1, "gibibyte_month": 1, "million_rows": 1, "instance_hour": 1}',
        '{"currency": "THB", "run_hour": "much", "gibibyte_month": 1, "million_rows": 1, "instance_hour": 1}',
    ],
)
def test_a_price_table_that_cannot_be_is_refused_naming_the_file(table: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        prices_from(table, "prices.json")
    assert refusal.value.where == "prices.json"

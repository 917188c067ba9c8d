"""Sizing lays a line through what was measured, and follows the formulas of its page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sizing import Load, seconds_by_rows, sized
from tenant_pipeline.core.cost.price import Prices
from tenant_pipeline.core.errors import InputError

PRICES = Prices("THB", *map(Decimal, ("3.6", "0.75", "10", "1.2")))


def _measured(*points: tuple[float, float]) -> dict[str, Any]:
    return {
        "parts": [
            {"part": f"one_large_source rows={rows}", "rows": rows, "seconds": seconds} for rows, seconds in points
        ]
    }


@given(st.floats(0, 60), st.floats(1e-6, 1e-2))
def test_the_line_through_two_sizes_is_the_line_they_lie_on(fixed: float, a_row: float) -> None:
    measured = _measured(*((rows, fixed + a_row * rows) for rows in (1e6, 1e7)))
    found_fixed, found_a_row, sizes = seconds_by_rows(measured)
    assert found_a_row == pytest.approx(a_row, rel=1e-6)
    assert found_fixed == pytest.approx(fixed, abs=1e-3)
    assert sizes == 2


def test_with_one_size_time_grows_with_the_rows_and_a_failed_part_does_not_count() -> None:
    measured = _measured((1e6, 200.0))
    measured["parts"].append({"part": "one_large_source rows=9", "failed": "MemoryError"})
    assert seconds_by_rows(measured) == (0.0, 200.0 / 1e6, 1)


def test_without_a_large_source_nothing_is_made_up() -> None:
    with pytest.raises(InputError, match="No large source"):
        seconds_by_rows({"parts": [{"part": "many_tenants"}]})


def test_amounts_are_quantities_times_prices() -> None:
    load = Load(tenants=10, rows_a_tenant_and_month=100_000, stored_bytes_a_row=2**30 // 10**6, months_kept=1)
    found = sized(_measured((1e6, 3600.0)), load, PRICES)
    assert found["a_million_rows"]["run_seconds"] == 3600.0
    month = found["a_month"]
    assert (month["rows"], month["run_hours"], month["instance_hours"]) == (1_000_000, 1.0, 14_600)
    assert month["amounts"]["runs"] == 3.6
    assert month["amounts"]["rows"] == 10.0
    assert month["amounts"]["instances"] == 17_520.0
    assert month["amount"] == pytest.approx(sum(month["amounts"].values()))

"""Sizing lays a line through what was measured, and follows the formulas of its page."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sizing import Load, main, seconds_by_rows, sized, together
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
    found = seconds_by_rows(measured)
    assert found.a_row == pytest.approx(a_row, rel=1e-6)
    assert found.fixed == pytest.approx(fixed, abs=1e-3)
    assert found.sizes == 2


@given(st.floats(1, 10_000), st.floats(1.01, 3), st.integers(2, 10))
def test_a_line_that_would_begin_below_zero_goes_through_the_largest_size_and_says_so(
    seconds: float, slower: float, times: int
) -> None:
    found = seconds_by_rows(_measured((1e6, seconds), (times * 1e6, seconds * times * slower)))
    assert (found.fixed, found.sizes) == (0.0, 2)
    assert found.a_row * times * 1e6 == pytest.approx(seconds * times * slower)
    assert "would begin below zero" in found.goes


def test_what_several_commands_printed_counts_as_one_and_of_one_size_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = [(1e6, 500.0), (3e6, 1764.0), (1e6, 577.0)]
    for number, point in enumerate(printed):
        answer = {"machine": {"processors": number}, "code": str(number), **_measured(point)}
        (tmp_path / f"{number}.json").write_text(json.dumps(answer))
    monkeypatch.setattr(sys, "argv", ["sizing", *(str(tmp_path / f"{number}.json") for number in range(3))])
    main()
    found = json.loads(capsys.readouterr().out)
    rests_on = found["rests_on"]
    assert (rests_on["machine"], rests_on["code"], rests_on["sizes_measured"]) == ({"processors": 2}, "2", 2)
    assert (rests_on["seconds_before_the_first_row"], rests_on["seconds_a_row"]) == (0, 0.000588)
    assert found["a_million_rows"]["run_seconds"] == 588
    assert found["a_million_rows"]["amounts"] == {"runs": 0.59, "rows": 10, "storage": 177.7}
    assert (found["a_million_rows"]["amount"], round(found["a_month"]["amount"], -3)) == (188.28, 1_761_000)


def test_with_one_size_time_grows_with_the_rows_and_a_failed_part_does_not_count() -> None:
    measured = _measured((1e6, 200.0))
    measured["parts"].append({"part": "one_large_source rows=9", "failed": "MemoryError"})
    found = seconds_by_rows(together([measured]))
    assert (found.fixed, found.a_row, found.sizes) == (0.0, 200.0 / 1e6, 1)


def test_without_a_large_source_nothing_is_made_up() -> None:
    with pytest.raises(InputError, match="No large source"):
        seconds_by_rows({"parts": [{"part": "many_tenants"}]})


def test_amounts_are_quantities_times_prices() -> None:
    load = Load(tenants=10, rows_a_tenant_and_month=100_000, stored_bytes_a_row=2**30 // 10**6, months_kept=1)
    found = sized(_measured((1e6, 3600.0)), load, PRICES)
    million = found["a_million_rows"]
    assert million["run_seconds"] == 3600.0
    assert million["amount"] == pytest.approx(sum(million["amounts"].values()))
    month = found["a_month"]
    assert (month["rows"], month["run_hours"], month["instance_hours"]) == (1_000_000, 1.0, 14_600)
    assert month["amounts"]["runs"] == 3.6
    assert month["amounts"]["rows"] == 10.0
    assert month["amounts"]["instances"] == 17_520.0
    assert month["amount"] == pytest.approx(sum(month["amounts"].values()))

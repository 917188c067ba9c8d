"""Days of feeds of several tenants, with servers that fail, shrink and change: every count comes out right."""

from __future__ import annotations

import pytest

from benchmarks.feed_week.week import simulate


@pytest.mark.slow
def test_days_of_feeds_end_with_every_count_reconciled() -> None:
    found = simulate(tenants=3, days=2, seed=19)
    assert found["differences"] == []
    for answer in ("version", "unchanged", "held", "failed"):
        assert found["answers"][answer], found["answers"]

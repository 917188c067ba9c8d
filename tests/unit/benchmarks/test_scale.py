"""The benchmark of scale keeps what it has measured, and draws it on a page that needs nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scale import __main__ as scale
from benchmarks.scale.drawing import drawn
from benchmarks.scale.part import Part, at_least, at_most, curve

MEASURED: dict[str, Any] = {
    "figure": 1.5,
    "targets": [at_most("one <more>", 1.2, 1.3), at_least("rows", 5, 10, "rows/s")],
    "curves": [curve("Grows", "sources", "ms", {"ours": [(1, 2.0), (2, 3.0)], "peer": [(1, 1.0), (2, 4.0)]})],
}
PART = Part("a_part", "A part of {rows} rows", {"rows": 10})


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that were measured, in the place of their processes."""
    begun: list[str] = []

    def run_apart(module: str, *arguments: str) -> dict[str, Any]:
        begun.append(" ".join(arguments))
        return MEASURED

    monkeypatch.setattr(scale, "run_apart", run_apart)
    return begun


def test_what_was_measured_is_not_measured_again_by_the_same_code(tmp_path: Path, runs: list[str]) -> None:
    first = scale._measured(PART, tmp_path, "code", again=False)
    assert scale._measured(PART, tmp_path, "code", again=False) == json.loads(json.dumps(first))
    assert len(runs) == 1
    scale._measured(PART, tmp_path, "other code", again=False)
    scale._measured(Part("a_part", "A part", {"rows": 11}), tmp_path, "code", again=False)
    scale._measured(PART, tmp_path, "code", again=True)
    assert len(runs) == 4


def test_the_page_shows_targets_curves_and_failures_and_fetches_nothing() -> None:
    parts = [{"part": PART.name, "title": PART.heading, **MEASURED}, {"part": "b", "title": "B", "failed": "no <disk>"}]
    page = drawn({"machine": {"processors": 2}, "code": "0", "parts": parts})
    assert "one &lt;more&gt;" in page
    assert page.count(">met</td>") == page.count(">missed</td>") == 1
    assert "no &lt;disk&gt;" in page
    assert page.count("<svg") == 1
    assert "<script" not in page
    assert "src=" not in page
    assert "var(--ours)" in page
    assert "var(--peer)" in page

"""What the benchmark of components gives its stages is what they take in whole, and what is unknown is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.components.stages import measured
from benchmarks.components.statement_rows import STATEMENTS_A_HALL, stage_store


def test_the_stages_reject_nothing_of_what_they_are_measured_with() -> None:
    with stage_store() as store:
        found = measured(store, 20, 5, "few values")
    assert [each["subject"] for each in found] == ["standardise, few values", "validate, few values"]
    assert {each["rows"] for each in found} == {20 * STATEMENTS_A_HALL}
    assert all(each["ratio"] > 0 for each in found)


@pytest.mark.parametrize(("wanted", "told"), [("stage", "no component stage;"), ("stages=0", "a whole number")])
def test_a_component_that_there_is_not_and_a_size_that_is_none_are_refused(wanted: str, told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.components", "stages=10", wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert told in done.stderr

"""Figures are told with the machine and the code that they are of."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from benchmarks.machine import print_found
from benchmarks.measured import ROOT


def test_what_a_benchmark_prints_begins_with_the_machine_and_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    print_found(rows_a_second=7)
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["machine", "code", "rows_a_second"]
    assert told["machine"]["processor"]
    assert told["machine"]["processors"] == os.cpu_count()
    assert re.fullmatch("[0-9a-f]{16}", told["code"])


def test_every_benchmark_of_the_makefile_prints_them() -> None:
    modules = re.findall(r"-m (benchmarks[.]\w+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert len(modules) > 10
    for module in modules:
        place = ROOT / module.replace(".", "/")
        files = place.glob("*.py") if place.is_dir() else [place.with_suffix(".py")]
        assert re.search(r"print_found\(|machine\(\)", "".join(map(_text, files))), module


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")

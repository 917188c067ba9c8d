"""One thing measured in a process of its own: seconds, and the most memory it held."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]


def run_apart(module: str, *arguments: str) -> dict[str, Any]:
    """Run `python -m module arguments`, which prints one JSON object, and return that. Raises on any failure."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def processor_seconds() -> float:
    """What this process and all below it, such as its database, have used of processors so far: in steps of 0.01 s.

    Of processes that have ended, those that were waited for count.
    """
    this, seconds = psutil.Process(), 0.0
    for process in (this, *this.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            seconds += used.user + used.system + used.children_user + used.children_system
    return seconds


def print_measure(measures: Mapping[str, Callable[[Path], int]], name: str, path: Path) -> None:
    """Do one of the `measures` over a file and print its rows, seconds and growth in memory (MiB) as JSON."""
    import resource
    import time

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    rows = measures[name](path)
    seconds = time.perf_counter() - started
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"rows": rows, "seconds": round(seconds, 3), "grown_mib": round(grown / 1024, 1)}))

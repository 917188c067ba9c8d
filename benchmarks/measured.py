"""One thing measured in a process of its own: seconds, and the most memory it held."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def run_apart(module: str, *arguments: str) -> dict[str, Any]:
    """Run `python -m module arguments`, which prints one JSON object, and return that. Raises on any failure."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


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

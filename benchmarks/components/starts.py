"""How long a parser and the embedded database take to be there: `python -m benchmarks.components.starts TIMES`."""

from __future__ import annotations

import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.components.figure import figure, print_figures
from tenant_pipeline.intake.sandbox.parsers import profile
from tenant_pipeline.storage.embedded_postgres import EmbeddedPostgres

THREE_LINES = b"name,capacity\nHall,10\nPier,20\n"
UNIT = "milliseconds, median"
DATABASES = 5


def main(times: int) -> None:
    """Measure and print."""
    profile(io.BytesIO(THREE_LINES), "halls.csv")
    forked = _median(lambda: profile(io.BytesIO(THREE_LINES), "halls.csv"), times)
    readers = [sys.executable, "-c", "import tenant_pipeline.intake.sandbox.parse"]
    new = _median(lambda: subprocess.run(readers, check=True), max(1, times // 20))
    made, again = zip(*(_database() for _ in range(min(times, DATABASES))), strict=True)
    first, later = statistics.median(made), statistics.median(again)
    print_figures(
        figure("a parser forked, confined and ended, for a file of three lines", UNIT, forked,
               beside="a new Python that loads the readers", beside_value=new, ratio=forked / new),
        figure("the embedded database's start, cluster made anew", UNIT, first,
               beside="of a cluster that is there", beside_value=later, ratio=first / later),
    )  # fmt: skip


def _database() -> tuple[float, float]:
    """Milliseconds of the first start of a cluster, and of the second."""
    with tempfile.TemporaryDirectory(prefix="starts-") as folder:
        Path(folder).chmod(0o755)
        took = []
        for _ in range(2):
            database = EmbeddedPostgres(Path(folder) / "postgres")
            took.append(_median(database.start, 1))
            database.stop()
    return took[0], took[1]


def _median(act: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        took.append(1000 * (time.perf_counter() - started))
    return statistics.median(took)


if __name__ == "__main__":
    main(int(sys.argv[1]))

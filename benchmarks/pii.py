"""Screening for personal data against plain Presidio with the same recognisers: `make benchmark-pii`.

Prints JSON: for each table the cells a second of the whole stage in one process and of plain Presidio over each cell
of a sample, their ratio, the target, and the memory. The exit code is 1 where ours finds anything else than plain
Presidio in any cell of the sample: speed that loses findings is none.
"""

from __future__ import annotations

import sys

from benchmarks.machine import print_found
from benchmarks.measured import run_apart
from benchmarks.pii_tables import TABLES

TARGETS = {"bookings": 30.0, "venues": 30.0, "nothing_skipped": 3.0}
"""How many times plain Presidio's cells a second are aimed at."""


def main() -> int:
    """Measure, print, and say how many cells differ."""
    found = [{**run_apart("benchmarks.pii_measures", name), "target_ratio": TARGETS[name]} for name in TABLES]
    print_found(tables=found)
    different = sum(each["cells_found_differently"] for each in found)
    if different:
        print(f"{different} cells are found differently than by plain Presidio", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())

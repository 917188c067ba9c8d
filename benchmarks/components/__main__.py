"""Measure single parts of the pipeline and print one JSON: `make benchmark-components`.

COMPONENTS="--small" tries all of them out in minutes; COMPONENTS="stages audit_search" takes only those, and
COMPONENTS="stages=50000" one in another size. Each has a process of its own.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.machine import print_found
from benchmarks.measured import run_apart

FULL = {
    "stages": 400_000,
    "stage_store": 2_000_000,
    "assembling": 400_000,
    "coverage_reading": 400_000,
    "audit_search": 200_000,
    "run_start": 10,
    "starts": 100,
    "memory_of_linking": 200_000,
}
"""Components, and their sizes: statements, rows, statements, statements, entries, runs, times, rows."""
SMALL = {
    "stages": 8_000,
    "stage_store": 100_000,
    "assembling": 8_000,
    "coverage_reading": 8_000,
    "audit_search": 5_000,
    "run_start": 1,
    "starts": 2,
    "memory_of_linking": 2_000,
}


def main() -> None:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="in a size for trying out")
    parser.add_argument("wanted", nargs="*", type=_component, metavar="COMPONENT[=SIZE]", help=", ".join(FULL))
    given = parser.parse_args()
    sizes = SMALL if given.small else FULL
    components = {}
    for name, size in given.wanted or sizes.items():
        print(f"{name}: measuring", file=sys.stderr)
        components[name] = run_apart(f"benchmarks.components.{name}", str(size or sizes[name]))
    print_found(components=components)


def _component(wanted: str) -> tuple[str, int | None]:
    """Its name, and its size where one was given."""
    name, _, size = wanted.partition("=")
    if name not in FULL:
        raise argparse.ArgumentTypeError(f"there is no component {name}; there are {', '.join(FULL)}")
    if size and not (size.isdecimal() and int(size)):
        raise argparse.ArgumentTypeError(f"the size of {name} is a whole number, 1 or more")
    return name, int(size) if size else None


if __name__ == "__main__":
    main()

"""Measure every part of scale, print one JSON and write one page: `make benchmark`, or `python -m benchmarks.scale`.

`--small` tries every part out in a few minutes; `--part many_tenants` (repeatable) takes only those, and
`--size tenants=100` (repeatable) changes their size. Each part has a process of its own, and its result is kept as soon
as it is there: begun again, a run that was killed takes what it finds of the same size and the same code.
`--again` measures anew.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.machine import code, machine
from benchmarks.measured import ROOT, run_apart
from benchmarks.scale.drawing import drawn
from benchmarks.scale.part import Part
from benchmarks.scale.parts import FULL, SMALL

KEPT = ROOT / ".benchmark"


def main() -> None:
    """Measure what is asked for, print it and draw it. Ends with 1 when a part failed."""
    wanted = _arguments()
    parts = _chosen(SMALL if wanted.small else FULL, wanted.part, dict(map(_size, wanted.size)))
    version = code()
    done: list[dict[str, Any]] = []
    for part in parts:
        try:
            done.append(_measured(part, wanted.kept, version, again=wanted.again))
        except Exception as error:  # one part that fails must not cost the hours of the others
            print(f"{part.name}: {type(error).__name__}: {error}", file=sys.stderr)
            done.append({"part": part.name, "title": part.heading, "failed": f"{type(error).__name__}: {error}"})
    answer = {"machine": machine(), "code": version, "parts": done}
    wanted.page.write_text(drawn(answer), encoding="utf-8")
    print(json.dumps(answer, indent=1, ensure_ascii=False))
    sys.exit(any("failed" in each for each in done))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="every part in a size for trying it out")
    parser.add_argument("--part", action="append", default=[], help="only parts of this module")
    parser.add_argument("--size", action="append", default=[], metavar="NAME=NUMBER", help="change the parts' size")
    parser.add_argument("--again", action="store_true", help="measure what is kept already anew")
    parser.add_argument("--kept", type=Path, default=KEPT, help="the folder in which results are kept")
    parser.add_argument("--page", type=Path, default=ROOT / "benchmark.html", help="the page to write")
    return parser.parse_args()


def _size(given: str) -> tuple[str, int]:
    name, _, number = given.partition("=")
    return name, int(number)


def _chosen(parts: tuple[Part, ...], modules: list[str], size: dict[str, int]) -> list[Part]:
    unknown = set(modules) - {part.module for part in parts}
    if unknown:
        sys.exit(f"There is no part {', '.join(sorted(unknown))}: the parts are in benchmarks/scale/parts.py")
    chosen = [part for part in parts if not modules or part.module in modules]
    changed = [
        replace(part, size={**part.size, **{name: number for name, number in size.items() if name in part.size}})
        for part in chosen
    ]
    return list({part.name: part for part in changed}.values())


def _measured(part: Part, kept: Path, version: str, *, again: bool) -> dict[str, Any]:
    """The part's result: the kept one, or a new one that is kept from now on."""
    file = kept / f"{part.key(version)}.json"
    if not again and file.exists():
        print(f"{part.name}: kept", file=sys.stderr)
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found
    print(f"{part.name}: measuring", file=sys.stderr)
    result = {"part": part.name, "title": part.heading, "size": dict(part.size)}
    result |= run_apart("benchmarks.scale.process", part.module, part.size_as_json())
    kept.mkdir(parents=True, exist_ok=True)
    waiting = file.with_suffix(".new")
    waiting.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
    waiting.replace(file)
    return result


if __name__ == "__main__":
    main()

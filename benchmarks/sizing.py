"""What a load needs, extrapolated from measured figures: `python -m benchmarks.sizing one.json three.json`.

The files are what `make benchmark` printed, and count as one; the answer is JSON too. The formulas and assumptions are
in docs/operate/sizing.md; every assumption is an option. With one measured size, time is taken to grow with the rows;
with two or more, a line is laid through them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from tenant_pipeline.core.cost.price import Prices, prices_from
from tenant_pipeline.core.errors import InputError

HOURS_A_MONTH = 730
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Load:
    """What is expected: all of it is an assumption of whoever asks."""

    tenants: int = 1_000
    rows_a_tenant_and_month: int = 50_000
    stored_bytes_a_row: int = 10_600
    months_kept: int = 24
    instance_replicas: int = 2
    busiest_hour: float = 4.0
    busy_share: float = 0.7


@dataclass(frozen=True)
class Line:
    """Seconds by rows: those before the first row, those a row, on how many measured sizes it rests, and how."""

    fixed: float
    a_row: float
    sizes: int
    goes: str


def together(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The answers as one: the parts of all that did not fail, of one size the last; the rest is the last answer's."""
    parts = {part["part"]: part for answer in answers for part in answer.get("parts", []) if "failed" not in part}
    return {**answers[-1], "parts": list(parts.values())}


def seconds_by_rows(answer: dict[str, Any]) -> Line:
    """The line that the large sources lie on; it does not begin below zero.

    Raises InputError where no large source was measured.
    """
    points = sorted(
        {
            (float(part["rows"]), float(part["seconds"]))
            for part in answer.get("parts", [])
            if part["part"].startswith("one_large_source ")
        }
    )
    if not points:
        raise InputError(
            "No large source was measured",
            where="parts[].part = one_large_source",
            remedy="Give the JSON of `make benchmark`, with that part in it.",
        )
    rows, seconds = points[-1]
    if len(points) == 1:
        return Line(0.0, seconds / rows, 1, "through the one size that was measured, and zero")
    slope, fixed = np.polyfit(*zip(*points, strict=True), 1)
    if fixed < 0:
        goes = "through the largest size and zero: through all that were measured it would begin below zero"
        return Line(0.0, seconds / rows, len(points), goes)
    return Line(float(fixed), float(slope), len(points), "through all sizes that were measured")


def sized(answer: dict[str, Any], load: Load, prices: Prices) -> dict[str, Any]:
    """What a million rows cost, and what so many tenants need and cost in a month."""
    line = seconds_by_rows(answer)
    million = {
        "run_seconds": round(line.fixed + line.a_row * 1e6, 1),
        "stored_gib": round(load.stored_bytes_a_row * 1e6 / 2**30, 3),
    }
    million_amounts = {
        "runs": million["run_seconds"] / 3600 * float(prices.run_hour),
        "rows": float(prices.million_rows),
        "storage": million["stored_gib"] * float(prices.gibibyte_month) * load.months_kept,
    }
    rows = load.tenants * load.rows_a_tenant_and_month
    run_hours = rows * line.a_row / 3600
    stored = rows * load.months_kept * load.stored_bytes_a_row / 2**30
    instance_hours = load.tenants * load.instance_replicas * HOURS_A_MONTH
    at_once = rows / 30 * line.a_row / SECONDS_A_DAY * load.busiest_hour / load.busy_share
    amounts = {
        "runs": run_hours * float(prices.run_hour),
        "rows": rows / 1e6 * float(prices.million_rows),
        "storage": stored * float(prices.gibibyte_month),
        "instances": instance_hours * float(prices.instance_hour),
    }
    return {
        "rests_on": {
            "machine": answer.get("machine"),
            "code": answer.get("code"),
            "sizes_measured": line.sizes,
            "line": line.goes,
            "seconds_before_the_first_row": round(line.fixed, 1),
            "seconds_a_row": round(line.a_row, 8),
        },
        "assumed": asdict(load),
        "a_million_rows": {**million, **_priced(million_amounts)},
        "a_month": {
            "rows": rows,
            "run_hours": round(run_hours, 1),
            "runs_at_once": int(np.ceil(at_once)),
            "stored_gib": round(stored, 1),
            "instance_hours": instance_hours,
            **_priced(amounts),
        },
        "currency": prices.currency,
    }


def _priced(amounts: dict[str, float]) -> dict[str, Any]:
    """Each amount, and all of them together."""
    each = {name: round(amount, 2) for name, amount in amounts.items()}
    return {"amounts": each, "amount": round(sum(amounts.values()), 2)}


def main() -> None:
    """Read what was measured, and print what follows from it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path, nargs="+", help="what `make benchmark` printed: one JSON or several")
    parser.add_argument("--prices", type=Path, help="a price table; the shipped example without it")
    for name, value in asdict(Load()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    given = vars(parser.parse_args())
    measured = together([json.loads(path.read_text(encoding="utf-8")) for path in given.pop("measured")])
    example = Path(str(files("tenant_pipeline.services.cost").joinpath("example_prices.json")))
    place = given.pop("prices") or example
    prices = prices_from(place.read_text(encoding="utf-8"), str(place))
    json.dump(sized(measured, Load(**given), prices), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()

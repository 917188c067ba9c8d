"""What a load needs, extrapolated from measured figures: `python -m benchmarks.sizing measured.json`.

The file is what `make benchmark` printed; the answer is JSON too. The formulas and assumptions are in
docs/operate/sizing.md; every assumption is an option. With one measured size, time is taken to grow with the rows; with
two or more, a line is laid through them.
"""

from __future__ import annotations

import argparse
import json
import sys
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


def seconds_by_rows(answer: dict[str, Any]) -> tuple[float, float, int]:
    """Seconds before the first row, seconds a row, and on how many measured sizes that rests.

    Raises InputError where no large source was measured.
    """
    points = sorted(
        {
            (float(part["rows"]), float(part["seconds"]))
            for part in answer.get("parts", [])
            if part["part"].startswith("one_large_source ") and "failed" not in part
        }
    )
    if not points:
        raise InputError(
            "No large source was measured",
            where="parts[].part = one_large_source",
            remedy="Give the JSON of `make benchmark`, with that part in it.",
        )
    if len(points) == 1:
        ((rows, seconds),) = points
        return 0.0, seconds / rows, 1
    slope, fixed = np.polyfit(*zip(*points, strict=True), 1)
    return max(0.0, float(fixed)), float(slope), len(points)


def sized(answer: dict[str, Any], load: Load, prices: Prices) -> dict[str, Any]:
    """What a million rows cost, and what so many tenants need and cost in a month."""
    fixed, a_row, sizes = seconds_by_rows(answer)
    million = {
        "run_seconds": round(fixed + a_row * 1e6, 1),
        "stored_gib": round(load.stored_bytes_a_row * 1e6 / 2**30, 3),
    }
    million_amount = (
        million["run_seconds"] / 3600 * float(prices.run_hour)
        + million["stored_gib"] * float(prices.gibibyte_month) * load.months_kept
        + float(prices.million_rows)
    )
    rows = load.tenants * load.rows_a_tenant_and_month
    run_hours = rows * a_row / 3600
    stored = rows * load.months_kept * load.stored_bytes_a_row / 2**30
    instance_hours = load.tenants * load.instance_replicas * HOURS_A_MONTH
    at_once = rows / 30 * a_row / SECONDS_A_DAY * load.busiest_hour / load.busy_share
    amounts = {
        "runs": run_hours * float(prices.run_hour),
        "rows": rows / 1e6 * float(prices.million_rows),
        "storage": stored * float(prices.gibibyte_month),
        "instances": instance_hours * float(prices.instance_hour),
    }
    return {
        "rests_on": {"sizes_measured": sizes, "machine": answer.get("machine"), "seconds_a_row": round(a_row, 8)},
        "assumed": asdict(load),
        "a_million_rows": {**million, "amount": round(million_amount, 2)},
        "a_month": {
            "rows": rows,
            "run_hours": round(run_hours, 1),
            "runs_at_once": int(np.ceil(at_once)),
            "stored_gib": round(stored, 1),
            "instance_hours": instance_hours,
            "amounts": {name: round(amount, 2) for name, amount in amounts.items()},
            "amount": round(sum(amounts.values()), 2),
        },
        "currency": prices.currency,
    }


def main() -> None:
    """Read what was measured, and print what follows from it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path, help="the JSON that `make benchmark` printed")
    parser.add_argument("--prices", type=Path, help="a price table; the shipped example without it")
    for name, value in asdict(Load()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    given = vars(parser.parse_args())
    measured = json.loads(given.pop("measured").read_text(encoding="utf-8"))
    example = Path(str(files("tenant_pipeline.services.cost").joinpath("example_prices.json")))
    place = given.pop("prices") or example
    prices = prices_from(place.read_text(encoding="utf-8"), str(place))
    json.dump(sized(measured, Load(**given), prices), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()

"""Linking generated records in bulk, against Splink's defaults on the same candidate pairs.

`python -m benchmarks.linking [--records N]` prints JSON: records a second, growth of memory and pairwise F1 of both,
and the ratio of our speed to Splink's. Our time holds everything from the records to the clusters; Splink's holds
training, blocking, prediction and clustering, its blocking keys being given to it. Default 100,000 records.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.linking_records import write_records
from benchmarks.machine import print_found
from benchmarks.measured import run_apart
from tenant_pipeline.evaluation.counts import Counts


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    count = parser.parse_args().records
    with tempfile.TemporaryDirectory(prefix="linking-") as folder:
        path = Path(folder)
        write_records(path / "records.parquet", count)
        run_apart("benchmarks.linking_measures", "candidates", folder)
        found: dict[str, Any] = {"records": count}
        for what in ("ours", "splink"):
            measured = run_apart("benchmarks.linking_measures", what, folder)
            found[what] = {
                "seconds": measured["seconds"],
                "records_per_s": round(count / measured["seconds"]),
                "grown_mib": measured["grown_mib"],
                **_pairwise(path, what),
            }
        found["ratio_to_splink"] = round(found["splink"]["seconds"] / found["ours"]["seconds"], 3)
    print_found(**found)


def _pairwise(path: Path, what: str) -> dict[str, Any]:
    """Pairwise precision, recall and F1, from how many records each (entity, cluster) holds."""
    joined = f"'{path / 'records.parquet'}' JOIN '{path / f'{what}.parquet'}' USING (id)"
    pairs = "coalesce(sum(n * (n - 1) // 2), 0)::BIGINT"
    counts = [
        duckdb.execute(f"SELECT {pairs} FROM (SELECT count(*) AS n FROM {joined} GROUP BY {by})").fetchone()
        for by in ("entity, cluster", "cluster", "entity")
    ]
    right, found, there = (row[0] if row else 0 for row in counts)
    scores = Counts(right, found - right, there - right).as_json()
    return {name: scores[name] for name in ("precision", "recall", "f1")}


if __name__ == "__main__":
    main()

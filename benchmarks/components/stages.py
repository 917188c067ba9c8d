"""`standardise` and `validate` in one process: `python -m benchmarks.components.stages STATEMENTS`.

Once where every value is another and once where 2,000 are. Both stages read their input from the stage store and write
their output there; the floor is to read the same rows and write them back as they are.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from benchmarks.components.figure import print_figures, rate
from benchmarks.components.statement_rows import NO_DIGEST, STATEMENTS_A_HALL, stage_store, statement_rows, stored
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.stage import StageCount
from tenant_pipeline.core.standardise.stage import standardise
from tenant_pipeline.core.validate.stage import validate
from tenant_pipeline.storage.stage_store import StageStore

FEW = 2_000
"""Distinct values where they come again."""
UNIT = "statements a second of processor time"


def measured(store: StageStore, halls: int, distinct: int, values: str) -> list[dict[str, Any]]:
    """Both stages over what is said of so many halls. Raises AssertionError where one of them rejects anything."""
    contracts = load_contracts()
    mapped = stored(store, "map", "statements", statement_rows(halls, distinct))
    rows = halls * STATEMENTS_A_HALL

    started = time.process_time()
    stored(store, "copied", "statements", mapped.tables("statements")[0].batches())
    copied = time.process_time()
    with store.write("standardise", NO_DIGEST, "benchmark", encrypted=False) as out:
        counts = standardise(mapped, out, vocabulary=contracts.vocabulary)
        standardised = store.read(out.commit(counts))
    between = time.process_time()
    with store.write("validate", NO_DIGEST, "benchmark", encrypted=False) as out:
        checked, _ = validate(
            standardised, out, vocabulary=contracts.vocabulary, thresholds=contracts.quality_thresholds
        )
        out.commit(checked)
    ended = time.process_time()

    _nothing_rejected(rows, *counts, *checked)
    floor = copied - started
    return [
        rate(f"{stage}, {values}", UNIT, rows, seconds, beside="read and written back", beside_seconds=floor, rows=rows)
        for stage, seconds in (("standardise", between - copied), ("validate", ended - between))
    ]


def _nothing_rejected(rows: int, *counts: StageCount) -> None:
    for count in counts:
        if (count.rows_in, count.rejected, count.emitted) != (rows, 0, rows):
            raise AssertionError(f"of {rows} statements, {count}")


def main(statements: int) -> None:
    """Measure and print; the first rows warm up what is loaded once."""
    halls = max(1, statements // STATEMENTS_A_HALL)
    with stage_store() as store:
        measured(store, 10, 10, "warm")
        print_figures(
            *measured(store, halls, halls, "all values distinct"),
            *measured(store, halls, FEW // STATEMENTS_A_HALL, f"{FEW:,} distinct values"),
        )


if __name__ == "__main__":
    main(int(sys.argv[1]))

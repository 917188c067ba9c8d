"""The stage store, written and read, beside pyarrow's Parquet alone.

`python -m benchmarks.components.stage_store ROWS`. Five columns, whose rows are all different. Ours also digests what
it writes, looks at its digest when it reads, and keeps memory bounded; both use the same compression and the same row
groups, and make pandas frames of what they read.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.components.figure import print_figures, rate
from benchmarks.components.statement_rows import NO_DIGEST, stage_store
from tenant_pipeline.core.stage import StageCount
from tenant_pipeline.core.tables import BATCH_ROWS

UNIT = "rows a second of processor time"
SETTLED = 5
"""After so many batches memory has what it needs; what is added later is growth."""


def main(rows: int) -> None:
    """Measure and print. Ours comes first, so that the most memory at its end is its own."""
    with stage_store() as store, tempfile.TemporaryDirectory(prefix="components-") as folder:
        written, settled = 0.0, 0.0
        with store.write("extract", NO_DIGEST, "benchmark", encrypted=False) as out:
            with out.table("t00001", "records") as table:
                for number, frame in enumerate(_frames(rows)):
                    started = time.process_time()
                    table.write(frame)
                    written += time.process_time() - started
                    settled = _peak() if number < SETTLED else settled
            started = time.process_time()
            digest = out.commit((StageCount("row", rows, rows, 0, 0, rows, "row"),))
            written += time.process_time() - started
        grown_by_writing = _peak() - settled
        found, started = 0, time.process_time()
        for number, batch in enumerate(store.read(digest).tables("records")[0].batches()):
            found += len(batch)
            settled = _peak() if number < SETTLED else settled
        read = time.process_time() - started
        grown_by_reading = _peak() - settled
        plain_written, plain_read = _plain(Path(folder) / "plain.parquet", rows)
    if found != rows:
        raise AssertionError(f"{found} of {rows} rows were read")
    print_figures(
        rate("stage store, written", UNIT, rows, written, beside="pyarrow alone", beside_seconds=plain_written,
             rows=rows, grown_mib=round(grown_by_writing, 1)),
        rate("stage store, read", UNIT, rows, read, beside="pyarrow alone", beside_seconds=plain_read,
             rows=rows, grown_mib=round(grown_by_reading, 1)),
    )  # fmt: skip


def _plain(path: Path, rows: int) -> tuple[float, float]:
    """Seconds of pyarrow's own writer and reader over the same rows."""
    written = 0.0
    schema = pa.Schema.from_pandas(_frame(0, 1), preserve_index=False)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for frame in _frames(rows):
            started = time.process_time()
            writer.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False), row_group_size=BATCH_ROWS)
            written += time.process_time() - started
    started = time.process_time()
    for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS):
        batch.to_pandas(types_mapper=pd.ArrowDtype)
    return written, time.process_time() - started


def _frames(rows: int) -> Iterator[pd.DataFrame]:
    for first in range(0, rows, BATCH_ROWS):
        yield _frame(first, min(first + BATCH_ROWS, rows))


def _frame(first: int, end: int) -> pd.DataFrame:
    numbers = pa.array(np.arange(first, end))
    texts = numbers.cast(pa.string())
    table = pa.table(
        {
            "record": numbers,
            "locator": pc.binary_join_element_wise("o00001#row=", texts, ""),
            "f0000": pc.binary_join_element_wise("Hall ", texts, " of the register", ""),
            "f0001": texts,
            "f0002": pc.binary_join_element_wise("https://hall", texts, ".example/", ""),
        }
    )
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]))

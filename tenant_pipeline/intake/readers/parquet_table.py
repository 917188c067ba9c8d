"""Parquet: rows as records, a batch at a time."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow.parquet as pq

from tenant_pipeline.intake.readers.item import Item, Items
from tenant_pipeline.intake.readers.json_records import flatten
from tenant_pipeline.intake.readers.parser_guard import refused_as
from tenant_pipeline.intake.readers.plain_values import plain
from tenant_pipeline.intake.readers.tables_in_grid import unique_names

BATCH_CELLS = 100_000
MARK = "PAR1"


def looks_like_parquet(text: str, path: str) -> bool:
    """Whether the file begins with Parquet's mark."""
    return text.startswith(MARK)


def read_parquet(stream: BinaryIO, encoding: str) -> Items:
    """Each row by its number; nested columns as dotted fields or JSON text.

    Raises UnreadableError for a file that is damaged, encrypted or not Parquet.
    """
    with refused_as("broken-parquet", "The Parquet file is damaged, encrypted or of a kind that cannot be read."):
        file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=1024 * 1024)
        names = unique_names(file.schema_arrow.names)
        number = 0
        batch_size = max(1, BATCH_CELLS // max(1, len(names)))
        for batch in file.iter_batches(batch_size=batch_size, use_threads=False):  # a parser may start no thread
            for row in batch.rename_columns(names).to_pylist(maps_as_pydicts="lossy"):
                number += 1
                yield Item("", f"row={number}", flatten(plain(row)))

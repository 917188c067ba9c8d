"""Parquet files in bounded memory, whose bytes depend on the rows alone and not on how they were handed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tenant_pipeline.core.tables import BATCH_ROWS
from tenant_pipeline.storage.object_store_draft import ContentWriter

if TYPE_CHECKING:
    import pandas as pd

PIECES_WAITING = 1_000
GROUP_TEXT_BYTES = 64 * 1024 * 1024


class ParquetTable:
    """A Parquet file in the making: frames of any size go in, row groups of BATCH_ROWS come out; of long texts, as many
    rows as first have GROUP_TEXT_BYTES together."""

    def __init__(self, file: ContentWriter) -> None:
        self._sink = pa.PythonFile(file, mode="w")
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._waiting_text = 0
        self.rows = 0
        self.columns: list[str] = []

    def write(self, frame: pd.DataFrame) -> None:
        """Add rows; the columns and types of the first frame hold for all.

        A later frame of another type is converted where no value changes. Raises ValueError (pyarrow.ArrowInvalid)
        where one would, or where the columns are others.
        """
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        if self._writer is None:
            self.columns = table.column_names
            schema = pa.schema([(field.name, _stored_type(field.type)) for field in table.schema])
            self._writer = pq.ParquetWriter(self._sink, schema, compression="zstd")
        self._waiting.append(table.cast(self._writer.schema))
        self._waiting_rows += len(frame)
        self._waiting_text += _text_bytes(self._waiting[-1])
        self.rows += len(frame)
        if (
            self._waiting_rows >= BATCH_ROWS
            or self._waiting_text >= GROUP_TEXT_BYTES
            or len(self._waiting) >= PIECES_WAITING
        ):
            self._write_whole_groups(self._writer)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._write_whole_groups(self._writer)
            if self._waiting_rows:
                self._writer.write_table(self._waiting[0], row_group_size=BATCH_ROWS)
            self._writer.close()

    def _write_whole_groups(self, writer: pq.ParquetWriter) -> None:
        # Page boundaries follow the chunks of what is written: in one piece, they depend on the rows alone.
        together = pa.concat_tables(self._waiting, promote_options="none").combine_chunks() if self._waiting else None
        while together is not None and (rows := _whole_group(together)):
            writer.write_table(together.slice(0, rows), row_group_size=BATCH_ROWS)
            together = together.slice(rows)
        self._waiting = [] if together is None else [together]
        self._waiting_rows = sum(table.num_rows for table in self._waiting)
        self._waiting_text = sum(map(_text_bytes, self._waiting))


def _whole_group(table: pa.Table) -> int:
    """How many of the first rows make a row group; 0 where more have to come for one."""
    group = table.slice(0, BATCH_ROWS)
    if _text_bytes(group) < GROUP_TEXT_BYTES:
        return BATCH_ROWS if table.num_rows >= BATCH_ROWS else 0
    lengths = [pc.fill_null(pc.binary_length(column), 0) for column in _texts(group)]
    running = pc.cumulative_sum(reduce(pc.add, lengths).cast(pa.int64()))
    return int(pc.sum(pc.less(running, GROUP_TEXT_BYTES)).as_py()) + 1


def _text_bytes(table: pa.Table) -> int:
    return sum(pc.sum(pc.binary_length(column)).as_py() or 0 for column in _texts(table))


def _texts(table: pa.Table) -> list[pa.ChunkedArray]:
    return [column for column in table.columns if pa.types.is_string(column.type)]


def read_batches(stream: BinaryIO, columns: Sequence[str] | None) -> Iterator[pd.DataFrame]:
    """The rows of a Parquet file in their order, at most BATCH_ROWS at a time, with Arrow-backed dtypes.

    `columns` chooses and orders them; None gives all. Raises KeyError when there is none of a name.
    """
    # Loaded where rows are: most commands have none in hand.
    import pandas as pd

    # What is read ahead (`pre_buffer`) would be held until the last row.
    parquet = pq.ParquetFile(pa.PythonFile(stream, mode="r"), pre_buffer=False)
    wanted = list(columns) if columns is not None else parquet.schema_arrow.names
    for group in range(parquet.num_row_groups):
        for batch in parquet.iter_batches(BATCH_ROWS, row_groups=[group], columns=wanted):
            yield pa.Table.from_batches([batch]).select(wanted).to_pandas(types_mapper=pd.ArrowDtype)


def _stored_type(type_: pa.DataType) -> pa.DataType:
    """The one type for all spellings of text; a column with nothing in it yet is text."""
    if pa.types.is_dictionary(type_):
        return _stored_type(type_.value_type)
    if pa.types.is_large_string(type_) or pa.types.is_string_view(type_) or pa.types.is_null(type_):
        return pa.string()
    return type_

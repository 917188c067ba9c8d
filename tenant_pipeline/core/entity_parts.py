"""A source's rows about entities, parted on disk, so that what is scattered over it is looked at entity by entity.

What is said of an entity may be scattered over a table and over several. So the rows of a large source are first parted
by ranges of entity ids, which are digests and therefore even, and then read part by part, in bounded memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from math import isqrt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.tables import BATCH_ROWS

ROWS_A_PART = 100_000
"""About so many rows are held at a time."""
MOST_FILES = 250
"""A part is an open file while the source is parted; and of a batch, too few rows come into each of more parts."""
_DIGITS = slice(4, 10)
"""Of an entity id (`ent-` and hexadecimal digits), those that tell its part."""


def part_bounds(rows: int) -> list[str]:
    """Where each part of so many rows begins: the first digits of its least entity id. One bound is a single part."""
    parts = max(1, -(-rows // ROWS_A_PART))
    return ["", *(f"{number * 16**6 // parts:06x}" for number in range(1, parts))]


def part_on_disk(batches: Iterable[pa.Table], schema: pa.Schema, bounds: Sequence[str], folder: Path) -> Iterator[Path]:
    """Write the rows of `batches` to a file a part, each in the order of its entity ids within a batch.

    `schema` has the column `entity_id`. What is said of one entity stays in its order. `folder` is there and empty. So
    many parts that their files could not all be open are written in two steps or more: first some parts to a file,
    then, when its turn has come, each of these files to its parts.
    """
    if len(bounds) <= MOST_FILES:
        yield from _written(batches, schema, bounds, folder)
        return
    at_once = max(isqrt(len(bounds)), -(-len(bounds) // MOST_FILES))
    for number, path in enumerate(_written(batches, schema, bounds[::at_once], folder)):
        below = folder / str(number)
        below.mkdir()
        of_file = bounds[number * at_once : (number + 1) * at_once]
        yield from part_on_disk(_in_larger_batches(read_part(path)), schema, of_file, below)


def read_part(path: Path) -> Iterator[pa.Table]:
    """The rows of a part, in the batches that they were written in. The file is gone when all have been read."""
    # From its path alone it would be mapped, and what has been read of it stay in memory until its end.
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])
    path.unlink()


def _written(batches: Iterable[pa.Table], schema: pa.Schema, bounds: Sequence[str], folder: Path) -> list[Path]:
    paths = [folder / f"{number}.arrow" for number in range(len(bounds))]
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with ExitStack() as stack:
        writers = [stack.enter_context(pa.ipc.new_stream(str(path), schema, options=options)) for path in paths]
        for batch in batches:
            digits = pc.utf8_slice_codeunits(batch["entity_id"], _DIGITS.start, _DIGITS.stop)
            order = pc.sort_indices(digits)  # stable: what is said of an entity stays in its order
            ordered, first = batch.take(order), np.searchsorted(digits.take(order).to_numpy(), bounds)
            for writer, start, end in zip(writers, first, [*first[1:], len(batch)], strict=True):
                if start < end:
                    writer.write_table(ordered.slice(start, end - start))
    return paths


def _in_larger_batches(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += len(batch)
        if rows >= BATCH_ROWS:
            yield pa.concat_tables(waiting)
            waiting.clear()
            rows = 0
    if waiting:
        yield pa.concat_tables(waiting)

"""The blocking keys of a tenant's entities in the database: digests, written late and in order.

Keys are most of what linking writes, and their digests lie anywhere in the index. So those of one run wait on our side
until somebody asks for keys, or the run ends: what a large first source has to itself goes into the index in one sweep,
and no page of it is written twice. What does not fit in memory waits in sorted runs on disk, which are merged range by
range (Knuth, "The Art of Computer Programming" 3, 5.4: external sorting).
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import LiteralString

import numpy as np
import pyarrow as pa
from psycopg.rows import tuple_row
from pyarrow import csv

from tenant_pipeline.core.one_ahead import one_ahead
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.linking.entity_index import Known
from tenant_pipeline.linking.matching import MOST_IN_A_BLOCK
from tenant_pipeline.storage.database import Connection

ROWS_IN_MEMORY = 1_000_000
"""Keys that wait in memory, about 50 MB; more go to disk."""
RANGES = 2_048
"""The ranges of keys that runs are merged by, one after the other: keys are digests, so they are even."""
ROWS_AT_ONCE = 100_000
"""Of keys that are few for so many ranges, some ranges are merged together."""
_BOUNDS = np.linspace(-(2.0**63), 2.0**63, RANGES + 1)[1:-1].astype(np.int64)
"""Where each range but the first begins."""
_KEYS = pa.schema([("key", pa.int64()), ("canonical_id", pa.string())])

# Most keys of a large source lead to its own rows or to too many; those are dropped before anything is fetched. A row
# of the keys that this transaction wrote is of a home of this run, which is nothing to its own table unless it is
# known from elsewhere, or attached to what is.
_LOOK_UP = """
SELECT wanted.key, home.canonical_id, coalesce(home.merged_into, home.canonical_id)
  FROM unnest(%(keys)s::bigint[]) AS wanted (key)
  CROSS JOIN LATERAL (
        SELECT array_agg(canonical_id) AS homes, bool_or(telling) AS telling
          FROM (SELECT canonical_id,
                       NOT %(alone)s OR xmin <> pg_current_xact_id()::xid
                       OR EXISTS (SELECT FROM pg_temp.telling_homes WHERE home_id = canonical_id) AS telling
                  FROM runtime.entity_blocking_keys
                 WHERE tenant_id = (SELECT %(tenant)s::text) AND key = wanted.key
                 ORDER BY canonical_id LIMIT %(most)s + 1) AS within) AS block
  CROSS JOIN LATERAL unnest(block.homes) AS known (canonical_id)
  CROSS JOIN LATERAL (
        SELECT canonical_id, merged_into FROM runtime.entities
         WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id = known.canonical_id OFFSET 0) AS home
 WHERE block.telling AND cardinality(block.homes) <= %(most)s
"""
# They come in the order of the index, so that each of its pages is met once.
_WRITE_FIRST: LiteralString = """
INSERT INTO runtime.entity_blocking_keys (tenant_id, key, canonical_id)
SELECT %s, key, canonical_id FROM pg_temp.waiting_keys
"""
_WRITE: LiteralString = _WRITE_FIRST + "ON CONFLICT DO NOTHING"


class BlockingKeyRows:
    """A tenant's blocking keys over a connection logged in as the tenant, until it is closed.

    `empty` says that it has none so far. In `folder`, or else among the system's temporary files, lies what does not
    fit in memory.
    """

    def __init__(self, connection: Connection, tenant: TenantId, *, empty: bool, folder: Path | None) -> None:
        self._connection = connection
        self._tenant = tenant
        self._empty = empty
        self._folder = folder
        self._waiting: list[pa.Table] = []
        self._runs: list[Path] = []
        self._on_disk = ExitStack()
        connection.execute("CREATE TEMPORARY TABLE waiting_keys (key bigint, canonical_id text) ON COMMIT DROP")

    def close(self) -> None:
        """Remove what waits on disk."""
        self._on_disk.close()

    def add(self, homes: Mapping[str, bytes]) -> None:
        """Note the packed keys of homes."""
        numbers = np.frombuffer(b"".join(homes.values()), dtype=">i8").astype(np.int64)
        if not len(numbers):
            return
        of_home = np.repeat(np.arange(len(homes)), [len(packed) // 8 for packed in homes.values()])
        names = pa.array(list(homes), pa.string()).take(pa.array(of_home))
        self._waiting.append(pa.table([numbers, names], schema=_KEYS))
        if sum(map(len, self._waiting)) >= ROWS_IN_MEMORY:
            self._set_aside()

    def homes(self, keys: Iterable[int], *, alone: bool) -> dict[int, list[Known]]:
        """What is known under each key, in order: see `EntityIndex.by_blocking_key`."""
        if not (wanted := sorted(set(keys))):
            return {}
        self.write()
        found: dict[int, list[Known]] = {}
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(
                _LOOK_UP,
                {"keys": wanted, "tenant": self._tenant, "most": MOST_IN_A_BLOCK, "alone": alone},
            )
            for number, home, canonical in rows:
                found.setdefault(number, []).append(Known(home, canonical))
        return {key: sorted(known, key=lambda each: each.home_id) for key, known in found.items()}

    def write(self) -> None:
        """Put the keys that wait into the index."""
        if not (self._waiting or self._runs):
            return
        with ThreadPoolExecutor(1, "blocking-keys") as executor:
            for text in one_ahead(executor, map(_as_text, self._in_order())):
                with (
                    self._connection.cursor() as cursor,
                    cursor.copy("COPY pg_temp.waiting_keys FROM STDIN (FORMAT csv)") as copy,
                ):
                    copy.write(text)
                self._connection.execute(_WRITE_FIRST if self._empty else _WRITE, (self._tenant,))
                self._connection.execute("TRUNCATE pg_temp.waiting_keys")
        self._empty = False

    def _in_order(self) -> Iterator[pa.Table]:
        """What waits, each key of each home once, in the order of the keys. It waits no longer."""
        if not self._runs and sum(map(len, self._waiting)) <= ROWS_AT_ONCE:
            yield _distinct(pa.concat_tables(self._waiting))
            self._waiting = []
            return
        in_memory = _by_range(self._waiting)
        self._waiting = []
        with ExitStack() as stack:
            runs = [pa.ipc.open_file(stack.enter_context(pa.OSFile(str(path)))) for path in self._runs]
            together: list[pa.RecordBatch] = []
            waiting = 0
            for number in range(RANGES):
                of_range = [*(run.get_batch(number) for run in runs), in_memory[number]]
                together += of_range
                waiting += sum(map(len, of_range))
                if waiting >= ROWS_AT_ONCE or number == RANGES - 1:
                    rows = _distinct(pa.Table.from_batches(together))
                    together, waiting = [], 0
                    yield rows
        for path in self._runs:
            path.unlink()
        self._runs = []

    def _set_aside(self) -> None:
        """Write what waits in memory as a run: a file with a batch for each range of keys."""
        if not self._runs:
            place = tempfile.TemporaryDirectory(prefix="keys-", dir=self._folder)
            self._place = Path(self._on_disk.enter_context(place))
        path = self._place / f"{len(self._runs)}.arrow"
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_file(str(path), _KEYS, options=options) as file:
            for batch in _by_range(self._waiting):
                file.write_batch(batch)
        self._runs.append(path)
        self._waiting = []


def _by_range(tables: list[pa.Table]) -> list[pa.RecordBatch]:
    """Their rows in the order of their keys: a batch for each range."""
    rows = pa.concat_tables([_KEYS.empty_table(), *tables]).sort_by("key").combine_chunks()
    ends = np.searchsorted(rows["key"].to_numpy(), _BOUNDS)
    (batch,) = rows.to_batches() or [pa.RecordBatch.from_pylist([], _KEYS)]
    return [batch.slice(start, end - start) for start, end in zip([0, *ends], [*ends, len(rows)], strict=True)]


def _distinct(rows: pa.Table) -> pa.Table:
    return rows.group_by(["key", "canonical_id"], use_threads=False).aggregate([]).sort_by("key")


def _as_text(rows: pa.Table) -> memoryview:
    text = io.BytesIO()
    csv.write_csv(rows, text, csv.WriteOptions(include_header=False))
    return text.getbuffer()

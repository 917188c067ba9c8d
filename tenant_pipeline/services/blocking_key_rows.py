"""The blocking keys of a tenant's entities in the database: digests, written late and in order.

Keys are most of what linking writes, and their digests lie anywhere in the index. So those of one run wait in a
temporary table until somebody asks for keys, or the run ends: what a large first source has to itself goes into the
index in one sweep, and no page of it is written twice.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import LiteralString

import numpy as np
import pyarrow as pa
from psycopg.rows import tuple_row
from pyarrow import csv

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.linking.entity_index import Known
from tenant_pipeline.linking.matching import MOST_IN_A_BLOCK
from tenant_pipeline.storage.database import Connection

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
                 WHERE tenant_id = %(tenant)s AND key = wanted.key
                 ORDER BY canonical_id LIMIT %(most)s + 1) AS within) AS block
  CROSS JOIN LATERAL unnest(block.homes) AS known (canonical_id)
  CROSS JOIN LATERAL (
        SELECT canonical_id, merged_into FROM runtime.entities
         WHERE tenant_id = %(tenant)s AND canonical_id = known.canonical_id OFFSET 0) AS home
 WHERE block.telling AND cardinality(block.homes) <= %(most)s
"""
# In the order of the index, so that each of its pages is met once.
_WRITE_FIRST: LiteralString = """
INSERT INTO runtime.entity_blocking_keys (tenant_id, key, canonical_id)
SELECT DISTINCT %s, key, canonical_id FROM pg_temp.waiting_keys ORDER BY key, canonical_id
"""
_WRITE: LiteralString = _WRITE_FIRST + "ON CONFLICT DO NOTHING"


class BlockingKeyRows:
    """A tenant's blocking keys over a connection logged in as the tenant. `empty` says that it has none so far."""

    def __init__(self, connection: Connection, tenant: TenantId, *, empty: bool) -> None:
        self._connection = connection
        self._tenant = tenant
        self._empty = empty
        self._waiting = False
        connection.execute("CREATE TEMPORARY TABLE waiting_keys (key bigint, canonical_id text) ON COMMIT DROP")

    def add(self, homes: Mapping[str, bytes]) -> None:
        """Note the packed keys of homes."""
        numbers = np.frombuffer(b"".join(homes.values()), dtype=">i8").astype(np.int64)
        if not len(numbers):
            return
        of_home = np.repeat(np.arange(len(homes)), [len(packed) // 8 for packed in homes.values()])
        rows = pa.table({"key": numbers, "canonical_id": pa.array(list(homes), pa.string()).take(pa.array(of_home))})
        text = io.BytesIO()
        csv.write_csv(rows, text, csv.WriteOptions(include_header=False))
        with (
            self._connection.cursor() as cursor,
            cursor.copy("COPY pg_temp.waiting_keys FROM STDIN (FORMAT csv)") as copy,
        ):
            copy.write(text.getbuffer())
        self._waiting = True

    def homes(self, keys: Iterable[int], *, alone: bool) -> dict[int, list[Known]]:
        """What is known under each key, in order: see `EntityIndex.by_blocking_key`."""
        if not (wanted := sorted(keys)):
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
        if self._waiting:
            self._connection.execute("SET LOCAL work_mem = '64MB'")
            self._connection.execute(_WRITE_FIRST if self._empty else _WRITE, (self._tenant,))
            self._connection.execute("TRUNCATE pg_temp.waiting_keys")
            self._waiting = self._empty = False

"""Linking millions of records at once: columns, blocks and scores in DuckDB, on disk, in bounded memory.

The comparisons are the model's own, written as SQL; how sure pairs become links is `clustering`'s.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType

import duckdb
import pyarrow as pa

from tenant_pipeline.linking.bulk_columns import prepared_columns, reweighed_columns
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.model import PLACES, Model
from tenant_pipeline.linking.words import FREE, Rarities

RECORDS_A_BATCH = 20_000
MOST_A_BLOCK = 200
"""Records under one key: a fuller block says too little to be worth its pairs."""
MEMORY_LIMIT = "2GB"
"""What DuckDB may hold; the rest goes to the disk."""
KEPT_WEIGHT = 2.0
"""Bits: what weighs less is no match under any prior."""
ASSUMED_PAIRS = 200
LOWEST_BELOW = 4.0
MOST_PRIOR_BITS = -3.0
"""The highest prior that is believed: one in nine of the pairs that share a key."""


@dataclass(frozen=True)
class ScoredPair:
    """Two records by their numbers, and the bits that speak for one thing, a name among them."""

    left: int
    right: int
    bits: float


class BulkLinking:
    """One linking of many records in a folder of its own, which is removed at the end.

    Use as a context: `add` the records, then `find_pairs`, then read `scored`.
    """

    def __init__(self, model: Model = PLACES, *, folder: Path | None = None, memory_limit: str = MEMORY_LIMIT) -> None:
        self.model = model
        self._folder = Path(tempfile.mkdtemp(prefix="linking-", dir=folder))
        self.database = duckdb.connect(str(self._folder / "linking.duckdb"))
        self.database.execute(f"SET memory_limit = '{memory_limit}'")
        self.database.execute(f"SET temp_directory = '{self._folder / 'spill'}'")
        self.database.execute("SET preserve_insertion_order = false")
        columns = ", ".join(f"{name} {type_}" for name, type_ in model.columns.items())
        self.database.execute(f"CREATE TABLE prepared (id BIGINT, {columns})")
        self.database.execute(f"CREATE TABLE records (id BIGINT, {columns})")
        self.database.execute("CREATE TABLE sources (id BIGINT, source BIGINT)")
        self.database.execute("CREATE TABLE keys (key UBIGINT, id BIGINT)")
        self.number = 0
        self.prior_bits = model.prior_bits

    def __enter__(self) -> BulkLinking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.database.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, records: Iterable[Features], source: int = 0) -> range:
        """Take records in, as one source's; returns their numbers, in their order."""
        return self.add_mixed((source, each) for each in records)

    def add_mixed(self, records: Iterable[tuple[int, Features]]) -> range:
        """Take records in, each with its source; returns their numbers, in their order."""
        first, iterator = self.number, iter(records)
        while batch := list(islice(iterator, RECORDS_A_BATCH)):
            self._add_batch([each for _, each in batch], [source for source, _ in batch])
        return range(first, self.number)

    def _add_batch(self, batch: Sequence[Features], sources: Sequence[int]) -> None:
        numbers = range(self.number, self.number + len(batch))
        self._insert("prepared", pa.table({"id": list(numbers), **prepared_columns(batch, self.model)}))
        keyed = [(key, number) for each, number in zip(batch, numbers, strict=True) for key in self.model.keys(each)]
        keys = pa.table({"key": [key for key, _ in keyed], "id": [number for _, number in keyed]})
        self._insert("keys", keys, "hash(key), id")
        self._insert("sources", pa.table({"id": list(numbers), "source": sources}))
        self.number += len(batch)

    def _insert(self, table: str, rows: pa.Table, select: str = "*") -> None:
        self.database.register("arriving", rows)
        self.database.execute(f"INSERT INTO {table} SELECT {select} FROM arriving")
        self.database.unregister("arriving")

    def find_pairs(self, *, within_sources: bool, most_a_block: int = MOST_A_BLOCK) -> int:
        """Count rarities, block, and score the pairs that share a key; returns how many pairs were scored.

        Records of one source are held against each other only if `within_sources`. Those in the grey zone or above
        are kept.
        """
        self.reweigh()
        self.keep_useful_keys(most_a_block)
        apart = "" if within_sources else "AND s.source <> t.source"
        sides = "JOIN sources s ON s.id = a.id JOIN sources t ON t.id = b.id" if apart else ""
        self.database.execute(
            "CREATE TABLE pairs AS SELECT a.id AS left_id, b.id AS right_id, count(*) AS shared_keys FROM "
            f"keys a JOIN keys b USING (key) {sides} WHERE a.id < b.id {apart} GROUP BY ALL"
        )
        self.database.execute("DROP TABLE keys")
        self.score_pairs_table()
        (number,) = self.database.execute("SELECT count(*) FROM pairs").fetchone() or (0,)
        return int(number)

    def keep_useful_keys(self, most_a_block: int = MOST_A_BLOCK) -> None:
        """Leave out the keys that one record has alone, or too many have."""
        self.database.execute(
            "CREATE TABLE useful AS SELECT DISTINCT key, id FROM keys WHERE key IN "
            f"(SELECT key FROM keys GROUP BY key HAVING count(*) BETWEEN 2 AND {most_a_block})"
        )
        self.database.execute("DROP TABLE keys")
        self.database.execute("ALTER TABLE useful RENAME TO keys")

    def score_pairs_table(self) -> None:
        """Score the rows of `pairs` into `scored`, and estimate the prior among them.

        Names come first: a pair for which none speaks is no match whatever else does, and is compared no further; nor
        is one that a faint likeness of names and a single key brought together.
        """
        model = self.model
        named = model.levels_sql("pairs", "records", model.naming_comparisons())
        self.database.execute(
            f"CREATE TABLE named AS SELECT * EXCLUDE (shared_keys) FROM ({named}) WHERE {model.named_sql()} "
            f"AND (shared_keys > 1 OR {model.weight_sql(model.naming_comparisons())} >= {model.alone_bits})"
        )
        levels = model.levels_sql("named", "records", model.other_comparisons())
        self.database.execute(
            f"CREATE TABLE scored AS SELECT left_id, right_id, weight FROM "
            f"(SELECT *, {model.weight_sql()} AS weight FROM ({levels})) WHERE weight >= {KEPT_WEIGHT}"
        )
        self.database.execute("DROP TABLE named")
        (number,) = self.database.execute("SELECT count(*) FROM pairs").fetchone() or (0,)
        weights = self.database.execute("SELECT round(weight, 1), count(*) FROM scored GROUP BY 1").fetchall()
        self.prior_bits = estimated_prior(weights, number, model.prior_bits)

    def scored(self) -> Iterator[ScoredPair]:
        """The pairs in the grey zone or above under the estimated prior, the surest first."""
        rows = self.database.execute(
            f"SELECT left_id, right_id, weight + {self.prior_bits} FROM scored "
            f"WHERE weight + {self.prior_bits} >= {self.model.grey_bits} ORDER BY weight DESC, 1, 2"
        )
        while batch := rows.fetchmany(100_000):
            for left, right, bits in batch:
                yield ScoredPair(left, right, bits)

    def patterns(self) -> list[tuple[tuple[int | None, ...], int]]:
        """How often the pairs show each pattern of levels: what expectation maximisation needs, however many pairs."""
        levels = ", ".join(f"level_{each.name}" for each in self.model.comparisons)
        rows = self.database.execute(
            f"SELECT {levels}, count(*) FROM ({self.model.levels_sql('pairs', 'records')}) GROUP BY ALL"
        ).fetchall()
        return [(tuple(row[:-1]), int(row[-1])) for row in rows]

    def reweigh(self) -> None:
        """Count how rare things are among the records, and make `records` from what was added."""
        every = [f"coalesce({name}, [])" for name in self.model.weighed]
        every += [f"coalesce(flatten({name}), [])" for name in self.model.weighed_lists]
        counts: Mapping[int, int] = dict(
            self.database.execute(
                f"SELECT word, count(*) FROM (SELECT unnest(list_distinct(list_concat({', '.join(every)}))) AS word "
                f"FROM prepared) GROUP BY word HAVING count(*) > {FREE}"
            ).fetchall()
        )
        rarities = Rarities(counts, self.number)
        reader = self.database.cursor().sql("SELECT * FROM prepared").to_arrow_reader(RECORDS_A_BATCH)
        for batch in reader:
            self._insert("records", reweighed_columns(batch, self.model, rarities))
        self.database.execute("DROP TABLE prepared")


def estimated_prior(weights: Sequence[tuple[float, int]], pairs: int, assumed: float) -> float:
    """How likely a pair is one thing before it is compared, in bits: the share that the weights themselves imply.

    `weights` are (bits, number of pairs); the rest of `pairs` weigh too little to count. Expectation maximisation of
    the one parameter (W. E. Winkler, 1988), with `assumed` worth as much as `ASSUMED_PAIRS` pairs.
    """
    share = assumed_share = 2.0**assumed
    for _ in range(50):
        odds = share / (1 - share)
        expected = math.fsum(number * (1 - 1 / (1 + odds * 2.0**weight)) for weight, number in weights)
        share = min(0.5, (expected + ASSUMED_PAIRS * assumed_share) / (pairs + ASSUMED_PAIRS))
    return max(assumed - LOWEST_BELOW, min(MOST_PRIOR_BITS, math.log2(share / (1 - share))))

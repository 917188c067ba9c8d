"""Our own gold format: tables of records with schema.org columns, and the pairs or clusters that are one thing.

`docs/evaluate/linking.md` describes it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.evaluation.linking.tables import GoldTables, Pair, record
from tenant_pipeline.linking.features import Features

_NO_PROPERTIES = frozenset({"id", "type", "cluster"})
Row = Mapping[str, Any]


def own_tables(folder: Path) -> GoldTables:
    """The data set in `folder`: `left` and `right` tables with `pairs`, or one table `records` with clusters.

    Raises InputError when a table lacks a column that it must have, or pairs name a record that is not there.
    """
    if (one := _table(folder, "records")) is not None:
        return _dedupe(folder, one)
    left, right, pairs = (_table(folder, name) for name in ("left", "right", "pairs"))
    if left is None or right is None or pairs is None:
        raise InputError(
            "The folder holds no gold data for linking",
            where=folder.name,
            remedy="Give left, right and pairs, or records with a column cluster.",
        )
    lefts, rights = {_id(row, folder): row for row in left}, {_id(row, folder): row for row in right}
    if any(row.get("left") not in lefts or row.get("right") not in rights for row in pairs):
        raise InputError(
            "A pair names a record that is in neither table",
            where=f"{folder.name}/pairs",
            remedy="Columns left and right hold ids of the two tables.",
        )
    truth = {(f"l:{row['left']}", f"r:{row['right']}"): str(row.get("match") or "1") == "1" for row in pairs}
    sides = ({f"{side}:{id_}": row for id_, row in rows.items()} for side, rows in (("l", lefts), ("r", rights)))
    ones, others = sides
    matches = frozenset(pair for pair, same in truth.items() if same)
    unique = all(len({pair[side] for pair in matches}) == len(matches) for side in (0, 1))
    return _gold(folder, ones, others, matches, unique)


def is_own(folder: Path) -> bool:
    """Whether a folder holds a data set in our format."""
    return any((folder / f"{name}{suffix}").is_file() for name in ("records", "left") for suffix in (".csv", ".jsonl"))


def _dedupe(folder: Path, rows: list[Row]) -> GoldTables:
    by_cluster: dict[str, list[str]] = {}
    for row in rows:
        if "cluster" not in row:
            raise InputError("A record has no cluster", where=f"{folder.name}/records", remedy="Add a column cluster.")
        by_cluster.setdefault(str(row["cluster"]), []).append(_id(row, folder))
    matches: set[Pair] = {pair for ids in by_cluster.values() for pair in combinations(sorted(ids), 2)}
    return _gold(folder, {_id(row, folder): row for row in rows}, {}, frozenset(matches), unique=False)


def _gold(
    folder: Path, left: Mapping[str, Row], right: Mapping[str, Row], matches: frozenset[Pair], unique: bool
) -> GoldTables:
    tables = ({id_: _features(id_, row) for id_, row in side.items()} for side in (left, right))
    ones, others = tables
    types = {each.type for each in (*ones.values(), *others.values())}
    rows = {id_: _plain(row) for id_, row in (*left.items(), *right.items())}
    return GoldTables(folder.name, ones, others, matches, unique=unique, rows=rows, people=types == {"Person"})


def _features(id_: str, row: Row) -> Features:
    said = [
        (column.partition("@")[0], str(value), column.partition("@")[2])
        for column, values in row.items()
        if column not in _NO_PROPERTIES
        for value in (values if isinstance(values, list) else [values])
        if value
    ]
    return record(id_, str(row.get("type") or "Place"), said)


def _plain(row: Row) -> dict[str, str]:
    return {
        column.replace("@", "_"): " ".join(map(str, values)) if isinstance(values, list) else str(values or "")
        for column, values in row.items()
        if column not in _NO_PROPERTIES
    }


def _id(row: Row, folder: Path) -> str:
    if not row.get("id"):
        raise InputError("A record has no id", where=folder.name, remedy="Fill the column id in every row.")
    return str(row["id"])


def _table(folder: Path, name: str) -> list[Row] | None:
    if (path := folder / f"{name}.csv").is_file():
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    if (path := folder / f"{name}.jsonl").is_file():
        return list(_lines(path))
    return None


def _lines(path: Path) -> Iterator[Row]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield json.loads(line)

"""People: tables as Febrl generates them and as the Splink project keeps them; the record or cluster ids are gold."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

from tenant_pipeline.evaluation.linking.tables import GoldTables, Pair, record
from tenant_pipeline.linking.features import Features

_FIELDS = {
    "given_name": "givenName", "first_name": "givenName", "forename": "givenName", "surname": "familyName",
    "last_name": "familyName", "date_of_birth": "birthDate", "dob": "birthDate", "suburb": "addressLocality",
    "city": "addressLocality", "postcode": "postalCode", "postcode_fake": "postalCode", "state": "addressRegion",
    "soc_sec_id": "taxID", "email": "email", "phone_number": "telephone",
}  # fmt: skip
_ADDRESS = ("street_number", "address_1", "address_2")


def people(folder: Path) -> Iterator[GoldTables]:
    """Every set below `folder`: `dataset4a`/`4b` are linked, the others hold their duplicates within."""
    for path in sorted(folder.rglob("*.csv")):
        if path.stem.endswith("_labels") or path.stem.endswith("4b"):
            continue
        rows = _read(path)
        if path.stem.endswith("4a"):
            others = _read(path.with_name(path.name.replace("4a", "4b")))
            yield _link("febrl 4", rows, others)
        elif "rec_id" in rows[0]:
            yield _dedupe(f"febrl {path.stem.removeprefix('dataset')}", rows)
        elif "cluster" in rows[0]:
            yield _dedupe(path.stem, rows)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {(key or "").strip(): (value or "").strip() for key, value in row.items()} for row in csv.DictReader(file)
        ]


def _cluster(row: Mapping[str, str]) -> str:
    return row["rec_id"].split("-")[1] if "rec_id" in row else row["cluster"]


def _person(id_: str, row: Mapping[str, str]) -> Features:
    said = [(_FIELDS[key], value, "") for key, value in row.items() if key in _FIELDS]
    address = " ".join(row[key] for key in _ADDRESS if row.get(key))
    return record(id_, "Person", [*said, ("address", address, "")])


def _fields(row: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in row.items() if key not in ("rec_id", "cluster", "unique_id")}


def _link(name: str, rows: list[dict[str, str]], others: list[dict[str, str]]) -> GoldTables:
    left = {f"l:{_cluster(row)}": row for row in rows}
    right = {f"r:{_cluster(row)}": row for row in others}
    matches = frozenset((id_, f"r:{id_[2:]}") for id_ in left if f"r:{id_[2:]}" in right)
    tables = [{id_: _person(id_, row) for id_, row in side.items()} for side in (left, right)]
    fields = {id_: _fields(row) for id_, row in (*left.items(), *right.items())}
    return GoldTables(name, tables[0], tables[1], matches, rows=fields, people=True)


def _dedupe(name: str, rows: list[dict[str, str]]) -> GoldTables:
    table: dict[str, Features] = {}
    by_cluster: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        id_ = f"{number:08d}"
        table[id_] = _person(id_, row)
        by_cluster.setdefault(_cluster(row), []).append(id_)
    matches: set[Pair] = {pair for ids in by_cluster.values() for pair in combinations(ids, 2)}
    fields = {id_: _fields(row) for id_, row in zip(table, rows, strict=True)}
    return GoldTables(name, table, {}, frozenset(matches), unique=False, rows=fields, people=True)

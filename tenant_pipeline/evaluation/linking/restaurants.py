"""Restaurants: pairs in the format of Ditto (`COL name VAL …`), and tables with pairs as pyJedAI keeps them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from tenant_pipeline.evaluation.linking.tables import GoldTables, Pair, record
from tenant_pipeline.linking.features import Features

_COLUMN = re.compile(r"COL (\S+) VAL (.*?)(?=\s+COL \S+ VAL |\s*$)")
_FIELDS = {"name": "name", "addr": "address", "city": "addressLocality", "phone": "telephone"}


def ditto_pairs(folder: Path, name: str) -> GoldTables:
    """The union of all labelled pairs below `folder` as two tables; the labels are the only truth that is known.

    The column `class`, where there is one, is the gold cluster, and is not read.
    """
    left: dict[str, Features] = {}
    right: dict[str, Features] = {}
    rows: dict[str, dict[str, str]] = {}
    judged: dict[Pair, bool] = {}
    for path in sorted(folder.rglob("*.txt")):
        if path.name not in ("train.txt", "valid.txt", "test.txt"):
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            one, other, label = line.split("\t")
            pair = (f"l:{_key(one)}", f"r:{_key(other)}")
            for side, id_, text in ((left, pair[0], one), (right, pair[1], other)):
                if id_ not in side:
                    rows[id_] = _fields(text)
                    said = [(_FIELDS[key], value, "en") for key, value in rows[id_].items() if key in _FIELDS]
                    side[id_] = record(id_, "FoodEstablishment", said)
            judged[pair] = label.strip() == "1"
    matches = frozenset(pair for pair, same in judged.items() if same)
    return GoldTables(name, left, right, matches, frozenset(judged), rows=rows)


def _key(text: str) -> str:
    return " ".join(re.sub(r"COL class VAL.*", "", text).split())


def _fields(text: str) -> dict[str, str]:
    found = {}
    for key, value in _COLUMN.findall(text):
        if key != "class":
            found[key] = value.strip(" `'").replace(" \\ '", "'").replace("\\'", "'").strip()
    return found


def pyjedai_tables(folder: Path, name: str) -> GoldTables:
    """Two tables with `|` between columns that are named by property addresses, and `gtclean.csv`."""
    properties = {"name": "name", "phone_number": "telephone", "street": "address"}
    tables: list[dict[str, Features]] = []
    rows: dict[str, dict[str, str]] = {}
    for side, file_name in (("l", "rest1clean.csv"), ("r", "rest2clean.csv")):
        table: dict[str, Features] = {}
        with (folder / file_name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="|"):
                id_ = f"{side}:{row['id']}"
                rows[id_] = {key.rpartition("#")[2]: value or "" for key, value in row.items() if key != "id"}
                said = [(properties[key], value, "en") for key, value in rows[id_].items()]
                table[id_] = record(id_, "FoodEstablishment", said)
        tables.append(table)
    with (folder / "gtclean.csv").open(encoding="utf-8", newline="") as file:
        matches = frozenset((f"l:{one}", f"r:{other}") for one, other in list(csv.reader(file, delimiter="|"))[1:])
    return GoldTables(name, tables[0], tables[1], matches, rows=rows)

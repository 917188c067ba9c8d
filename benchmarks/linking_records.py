"""Generated places and organisations with noisy duplicates: the same seed, the same records."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FIELDS = ("name", "address", "addressLocality", "postalCode", "telephone", "url", "geo")
RECORDS_A_BATCH = 50_000
DUPLICATES = 0.3
"""The share of records that are another source's view of an entity before them."""

_KINDS = ("Hotel", "Resort", "Restaurant", "Cafe", "Co., Ltd.", "Guesthouse", "Clinic", "School", "Hall", "Market")
_TOWNS = tuple(f"{first}{last}" for first in ("Ban", "Tha", "Nong", "Kho", "Mae", "Pak", "Chum", "Sam", "Wang", "Bo")
               for last in ("rung", "mai", "luang", "phon", "kaeo", "sing", "yai", "noi", "khao", "din"))  # fmt: skip
_STREETS = tuple(f"{each} {kind}" for each in ("Thawi", "Ratsada", "Dibuk", "Krabi", "Phang Nga", "Sakdidet",
                 "Chao Fa", "Yaowarat", "Patak", "Sirirat", "Montri") for kind in ("Road", "Lane"))  # fmt: skip
_ONSETS = ("ka", "sa", "pra", "thi", "wo", "ma", "lu", "chai", "phu", "nan", "ro", "si", "be", "do", "kru", "tan")
_CODAS = ("rin", "mon", "ket", "lai", "sun", "wan", "dee", "pong", "nok", "chat", "ya", "ri", "lek", "to", "bar", "nga")


def write_records(path: Path, count: int, seed: int = 1) -> None:
    """Write `count` records as Parquet: id, entity (the gold), and the fields."""
    writer = None
    batch: list[tuple[int, int, dict[str, str]]] = []
    for each in _records(count, random.Random(seed)):
        batch.append(each)
        if len(batch) == RECORDS_A_BATCH:
            writer = _write(path, writer, batch)
            batch = []
    writer = _write(path, writer, batch)
    writer.close()


def _write(
    path: Path, writer: pq.ParquetWriter | None, batch: list[tuple[int, int, dict[str, str]]]
) -> pq.ParquetWriter:
    table = pa.table(
        {
            "id": pa.array([number for number, _, _ in batch], pa.int64()),
            "entity": pa.array([entity for _, entity, _ in batch], pa.int64()),
            **{field: pa.array([row.get(field) for _, _, row in batch], pa.string()) for field in FIELDS},
        }
    )
    writer = writer or pq.ParquetWriter(path, table.schema)
    writer.write_table(table)
    return writer


def _records(count: int, random_: random.Random) -> Iterator[tuple[int, int, dict[str, str]]]:
    kept: list[dict[str, str]] = []
    first = 0
    for number in range(count):
        if kept and random_.random() < DUPLICATES:
            place = random_.randrange(len(kept))
            yield number, first + place, _noisy(kept[place], random_)
            continue
        if len(kept) == RECORDS_A_BATCH:
            first, kept = first + len(kept), []
        kept.append(_entity(random_))
        yield number, first + len(kept) - 1, kept[-1]


def _entity(random_: random.Random) -> dict[str, str]:
    words = [_word(random_).title() for _ in range(random_.choice((1, 2, 2, 3)))]
    town = random_.randrange(len(_TOWNS))
    name = " ".join([*words, random_.choice(_KINDS)])
    return {
        "name": name,
        "address": f"{random_.randrange(1, 400)} {random_.choice(_STREETS)}",
        "addressLocality": _TOWNS[town],
        "postalCode": f"{10_000 + 100 * town + random_.randrange(5)}",
        "telephone": f"+66{random_.randrange(10**8, 10**9)}",
        "url": f"https://{''.join(words).lower()}.example",
        "geo": f"{6 + 14 * random_.random():.5f},{98 + 6 * random_.random():.5f}",
    }


def _word(random_: random.Random) -> str:
    return "".join((random_.choice(_ONSETS), random_.choice(_ONSETS), random_.choice(_CODAS)))


def _noisy(entity: dict[str, str], random_: random.Random) -> dict[str, str]:
    """Another's view: fields left out, a typing error, words dropped or turned round, a street abbreviated."""
    row = dict(entity)
    for field, share in (("telephone", 0.4), ("url", 0.5), ("geo", 0.4), ("address", 0.25), ("postalCode", 0.2)):
        if random_.random() < share:
            del row[field]
    chance = random_.random()
    if chance < 0.35:
        place = random_.randrange(1, len(row["name"]))
        row["name"] = row["name"][:place] + random_.choice(("", "a", "e", "h")) + row["name"][place + 1 :]
    elif chance < 0.5:
        row["name"] = " ".join(row["name"].split()[:-1])
    elif chance < 0.6:
        row["name"] = " ".join(reversed(row["name"].split()))
    if "address" in row and random_.random() < 0.5:
        row["address"] = row["address"].replace("Road", "Rd.").replace("Street", "St.")
    if "telephone" in row and random_.random() < 0.1:
        row["telephone"] = f"+66{random_.randrange(10**8, 10**9)}"
    if "geo" in row:
        latitude, longitude = (float(each) for each in row["geo"].split(","))
        row["geo"] = f"{latitude + random_.gauss(0, 2e-4):.5f},{longitude + random_.gauss(0, 2e-4):.5f}"
    return row

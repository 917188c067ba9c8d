"""A large file of venues as a regulator might hand it in, and the mapping that a data engineer would accept for it.

The same seed and number of rows make the same bytes. Rows differ in what tells a venue apart (id, names, address,
position, telephone, page) and repeat in what does not (town, kind, capacity, date), as in real registers.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FIELDS = (
    "venue_ref", "title_th", "title_en", "street", "town", "postcode", "lat", "lon", "seats", "tel", "web", "since",
)  # fmt: skip

MAPPING: dict[str, Any] = {
    "id": "venue-register",
    "version": "1.0.0",
    "label": {"th": "ทะเบียนสถานที่", "en": "Venue register", "zh": "场馆登记"},
    "origins": [],
    "shape": "records",
    "match": {"all_of": ["venue_ref"], "any_of": ["title_th", "title_en"]},
    "type": "EventVenue",
    "key": ["venue_ref"],
    "rules": [
        {"property": "identifier", "from": ["venue_ref"]},
        {"property": "name", "from": ["title_th"], "lang": "th"},
        {"property": "name", "from": ["title_en"], "lang": "en"},
        {"property": "address", "from": ["street"]},
        {"property": "addressLocality", "from": ["town"]},
        {"property": "postalCode", "from": ["postcode"]},
        {"property": "geo", "latitude": ["lat"], "longitude": ["lon"]},
        {"property": "maximumAttendeeCapacity", "from": ["seats"]},
        {"property": "telephone", "from": ["tel"]},
        {"property": "url", "from": ["web"]},
        {"property": "openingDate", "from": ["since"]},
    ],
    "constants": {},
}

_THAI = ("กะ", "รา", "สิ", "ตะ", "วัน", "ชัย", "ภู", "นคร", "บุรี", "ทอง", "แก้ว", "งาม", "ใหญ่", "สุข", "ดี", "มา")
_LATIN = ("ka", "ra", "si", "ta", "wan", "chai", "phu", "nakhon", "buri", "thong", "kaeo", "ngam", "yai", "suk", "di",
          "ma")  # fmt: skip
_KINDS = (("ห้องประชุม", "Hall"), ("โรงแรม", "Hotel"), ("ศูนย์แสดงสินค้า", "Exhibition Centre"), ("โรงละคร", "Theatre"))
_TOWNS = (("เมืองภูเก็ต", "Mueang Phuket"), ("กะทู้", "Kathu"), ("ถลาง", "Thalang"), ("เมืองกระบี่", "Mueang Krabi"))
_STREETS = ("Thepkrasattri Road", "Patak Road", "Dibuk Road", "Chao Fa Road", "Ratsada Road", "Sakdidet Road")


def write_venues(path: Path, rows: int, seed: int = 7) -> None:
    """Write so many rows as CSV with a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        writer.writerows(_rows(rows, random.Random(seed)))


def _rows(rows: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    digits = chance.randrange
    for number in range(rows):
        syllables = [chance.randrange(len(_THAI)) for _ in range(chance.choice((4, 5, 6)))]
        thai, latin = "".join(_THAI[each] for each in syllables), "".join(_LATIN[each] for each in syllables)
        kind_th, kind_en = chance.choice(_KINDS)
        town = chance.choice(_TOWNS)[number % 2]
        yield (
            f"VR-{number:08d}",
            f"{kind_th}{thai}",
            f"{latin.title()} {kind_en}" if number % 10 else "",
            f"{chance.randrange(1, 900)}/{chance.randrange(1, 99)} {chance.choice(_STREETS)}",
            town,
            chance.choice(("83000", "83110", "83120", "83150", "81000")),
            f"{7.6 + 1.4 * chance.random():.6f}",
            f"{98.2 + 1.2 * chance.random():.6f}",
            f"{chance.randrange(20, 5_000):,}",
            f"07{chance.choice('567')} {digits(200, 700)} {digits(100, 1000)}"
            if number % 4 else f"08{digits(10**8):08d}",
            f"https://www.{latin}{number}.example/",
            f"{chance.randrange(1, 29)}/{chance.randrange(1, 13)}/{chance.randrange(2520, 2568)}",
        )  # fmt: skip

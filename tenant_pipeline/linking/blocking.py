"""Keys under which an entity is looked for: two that share none are never compared.

Each key is made so that noise of one kind leaves it alone: a name's beginning survives what is added to it, its
sounds survive its spelling, its telling words survive their order, an address or a number survives the name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from hashlib import sha256
from itertools import combinations
from struct import unpack
from typing import TYPE_CHECKING

from tenant_pipeline.core.digest import sha256_of_bytes
from tenant_pipeline.core.generic_words import GENERIC_WORDS
from tenant_pipeline.linking.columns import national_digits, site_and_page
from tenant_pipeline.linking.romanisation import sounds
from tenant_pipeline.linking.streets import house_numbers, street_words
from tenant_pipeline.linking.words import plain, words_of

if TYPE_CHECKING:
    from tenant_pipeline.linking.features import Features

LONGEST_KEY = 400
"""Characters of a key; a PostgreSQL B-tree takes 2,704 bytes in all, and a character has up to four."""
NAME_START = 6
SHORTEST_SOUND = 3
MOST_WORDS = 4
HALF_CELL_DEGREES = 0.001
"""About 110 m: what lies nearer than this always shares a geographical cell."""


def blocking_keys(features: Features) -> list[str]:
    """Keys under which an entity is looked for, each a scheme and a value. Two that share none are never compared."""
    values = features.values
    keys: list[str] = []
    for text, words in _names(features):
        keys += [f"name {text}", f"name-start {text[:NAME_START]}"]
        if len(sound := sounds(text)) >= SHORTEST_SOUND:
            keys.append(f"sound {sound}")
        keys += [
            f"words {one} {other}" if one < other else f"words {other} {one}"
            for one, other in combinations(words[:MOST_WORDS], 2)
        ]
    for url in values.get("url", []):
        host, page = site_and_page(url)
        keys += [f"url {each}" for each in (host, page) if each]
    keys += [f"telephone {national_digits(number)}" for number in values.get("telephone", [])]
    keys += [f"email {each.casefold()}" for each in values.get("email", [])]
    for address in values.get("address", []):
        text = address.partition(":")[2] if address[2:3] == ":" else address
        keys += [f"address {number} {word}" for number in house_numbers(text) for word in street_words(text)[:3]]
    for geo in values.get("geo", []):
        keys += [f"geo-cell {cell}" for cell in _cells(geo)]
    return [key if len(key) <= LONGEST_KEY else _bounded_key(key) for key in dict.fromkeys(keys)]


def bulk_keys(features: Features) -> list[str]:
    """The keys of a search in bulk, where blocks that are too full are left out: single telling words too."""
    keys = [key for key in blocking_keys(features) if not key.startswith("name-start ")]
    for text, words in _names(features):
        keys += [f"word {word}" for word in words[:MOST_WORDS] if len(word) > 1]
        keys.append(f"name-start {text[:NAME_START]}")
    return list(dict.fromkeys(keys))


def _names(features: Features) -> Iterable[tuple[str, list[str]]]:
    texts = dict(each.split(" ", 1) for each in features.values.get("words", []))
    for name in features.values.get("name", []):
        _, _, key = name.partition(":")
        if key:
            words = words_of(texts.get(key, key)) or (key,)
            yield plain(key), [word for word in words if word not in GENERIC_WORDS]


def _cells(geo: str) -> list[str]:
    """The cells of four grids, each shifted by half a cell, in which a place lies: neighbours share at least one."""
    latitude, _, longitude = geo.partition(",")
    try:
        halves = [math.floor(float(degrees) / HALF_CELL_DEGREES) for degrees in (latitude, longitude)]
    except (ValueError, OverflowError):
        return []
    rows, columns = ((half, half - 1) for half in halves)
    return [f"{row}/{column}" for row in rows for column in columns]


def packed_keys(family: str, features: Features) -> bytes:
    """The blocking keys of an entity of a family as they are kept and looked for: of each the first eight bytes of a
    SHA-256, one behind the other. Two keys that are the same by chance cost a comparison, no more."""
    return b"".join([sha256(f"{family} {key}".encode()).digest()[:8] for key in blocking_keys(features)])


def unpacked_keys(packed: bytes) -> tuple[int, ...]:
    """Each of the packed keys as a number (signed, 64 bits)."""
    return unpack(f">{len(packed) // 8}q", packed)


def bounded(value: str) -> str:
    """A value as a key of an index, which takes no long ones: a long value's digest stands for it."""
    return value if len(value) <= LONGEST_KEY else sha256_of_bytes(value.encode())


def _bounded_key(key: str) -> str:
    scheme, _, value = key.partition(" ")
    return f"{scheme} {bounded(value)}"

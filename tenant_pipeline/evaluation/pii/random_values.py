"""Values that are nobody's: ids, time stamps, coordinates, prices, postcodes, product codes. What of them is flagged?

Each kind is drawn with a fixed seed, each value is asked alone, without a field name: the hardest case.
"""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

EACH = 1_000
"""Values of each kind."""

_SEED = 20_260
_FROM, _TO = 1_262_304_000, 1_893_456_000
"""2010 to 2030, in seconds since 1970."""

Drawn = Callable[[random.Random], str]


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choices(string.digits, k=count))


def _letters(chance: random.Random, count: int) -> str:
    return "".join(chance.choices(string.ascii_uppercase, k=count))


def _moment(chance: random.Random) -> str:
    return datetime.fromtimestamp(chance.randrange(_FROM, _TO), UTC).isoformat(timespec="seconds")


_KINDS: Mapping[str, Drawn] = {
    "ids of 8 digits": lambda c: str(c.randrange(10**7, 10**8)),
    "ids of 10 digits": lambda c: str(c.randrange(10**9, 10**10)),
    "ids of 12 digits": lambda c: str(c.randrange(10**11, 10**12)),
    "ids of 13 digits": lambda c: str(c.randrange(10**12, 10**13)),
    "ids of 16 digits": lambda c: str(c.randrange(10**15, 10**16)),
    "ids padded to 10 digits": lambda c: f"{c.randrange(10**7):010d}",
    "UUIDs": lambda c: str(uuid.UUID(int=c.getrandbits(128), version=4)),
    "digests": lambda c: f"{c.getrandbits(160):040x}",
    "time stamps in seconds": lambda c: str(c.randrange(_FROM, _TO)),
    "time stamps in milliseconds": lambda c: str(c.randrange(_FROM * 1000, _TO * 1000)),
    "moments (ISO 8601)": _moment,
    "dates": lambda c: datetime.fromtimestamp(c.randrange(_FROM, _TO), UTC).strftime(
        c.choice(("%d/%m/%Y", "%Y-%m-%d"))
    ),
    "coordinates": lambda c: f"{c.uniform(-90, 90):.6f}, {c.uniform(-180, 180):.6f}",
    "prices": lambda c: f"{c.randrange(1, 10 ** c.randrange(2, 8)):,}.{c.randrange(100):02d}",
    "postcodes": lambda c: str(c.randrange(10_000, 97_000)),
    "product codes": lambda c: f"{_letters(c, c.randrange(2, 5))}-{_digits(c, c.randrange(3, 9))}",
    "product codes in groups": lambda c: f"{_digits(c, 2)}-{_digits(c, 4)}-{_digits(c, 3)}",
    "order numbers": lambda c: f"{_letters(c, 2)}{c.randrange(2015, 2031)}{_digits(c, 6)}",
}


def random_values() -> dict[str, list[str]]:
    """The values of each kind; the same on every machine."""
    return {name: _drawn(name, draw) for name, draw in _KINDS.items()}


def _drawn(name: str, draw: Drawn) -> list[str]:
    chance = random.Random(f"{_SEED} {name}")
    return [draw(chance) for _ in range(EACH)]

"""What a reader yields: items, each of a table, and problems, each with its place. And the facts it is told."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

RECORDS = "records"
SEGMENTS = "segments"
STATEMENTS = "statements"
MOST_TABLES = 5_000
MOST_FIELDS = 2_000
"""Of one table."""


class Item(NamedTuple):
    """A record or a segment of text: its table within the object, its place there, and its fields as text."""

    table: str
    locator: str
    values: Mapping[str, str | None]
    shape: str = RECORDS


class Problem(NamedTuple):
    """A row that could not be read: its place, a code and a sentence that does not quote it."""

    locator: str
    code: str
    reason: str


class UnreadableError(Exception):
    """The whole object cannot be read: a code and a sentence that quotes nothing."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


Items = Iterator[Item | Problem]


def text_of(value: Any) -> str | None:
    """A scalar as text: numbers without a needless `.0`, booleans in lower case, None for nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        number = float(value)
        value = number if math.isfinite(number) else value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)

"""The other ways to read a text: without the characters that nobody sees, and with its percent escapes decoded.

Later stages and readers remove and decode both, so what only then is a telephone number is one already. Each reading
knows where in the text its characters stand, so that what is found in it can be replaced there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.standardise.characters import INVISIBLE, INVISIBLE_CHARACTER

HIDING = f"[{INVISIBLE}]|%[0-9A-Fa-f]{{2}}"
"""What a text must hold to have other readings, as a regular expression that Python and RE2 both read."""

_HIDING = re.compile(HIDING)
_ESCAPED = re.compile("(?:%[0-9A-Fa-f]{2})+")
_ROUNDS = 3
"""An address within an address is escaped twice."""


@dataclass(frozen=True)
class Reading:
    """A reading, and for each of its characters where that begins and ends in the text itself."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    decoded: bool = False

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where in the text itself a stretch of the reading stands."""
        return self.starts[start], self.ends[end - 1]


def other_readings(text: str) -> Iterator[Reading]:
    """The readings of `text` that differ from it: without invisible characters, and that with its escapes decoded."""
    if not _HIDING.search(text):
        return
    seen = _seen(Reading(text, range(len(text)), range(1, len(text) + 1)))
    if seen.text != text:
        yield seen
    decoded = seen
    for _ in range(_ROUNDS):
        further = _seen(_decoded(decoded))
        if further.text == decoded.text:
            break
        decoded = further
    if decoded.text != seen.text:
        yield decoded


def revealed(text: str) -> str:
    """`text` without invisible characters and with its escapes decoded: one form for what hides in many."""
    for reading in other_readings(text):
        text = reading.text
    return text


def seen(text: str) -> str:
    """`text` without invisible characters."""
    return INVISIBLE_CHARACTER.sub("", text)


def seen_values(values: pa.Array) -> pa.Array:
    """The texts of a column without invisible characters."""
    if not pc.any(pc.match_substring_regex(values, f"[{INVISIBLE}]")).as_py():
        return values
    return pc.replace_substring_regex(values, f"[{INVISIBLE}]", "")


def _seen(reading: Reading) -> Reading:
    if not INVISIBLE_CHARACTER.search(reading.text):
        return reading
    kept = [position for position, character in enumerate(reading.text) if not INVISIBLE_CHARACTER.match(character)]
    return Reading(
        "".join(reading.text[position] for position in kept),
        [reading.starts[position] for position in kept],
        [reading.ends[position] for position in kept],
        reading.decoded,
    )


def _decoded(reading: Reading) -> Reading:
    if not _ESCAPED.search(reading.text):
        return reading
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for escaped in _ESCAPED.finditer(reading.text):
        pieces.append(reading.text[position : escaped.start()])
        starts += reading.starts[position : escaped.start()]
        ends += reading.ends[position : escaped.start()]
        position = escaped.start()
        for character, octets in _characters(bytes.fromhex(escaped[0].replace("%", ""))):
            pieces.append(character)
            starts.append(reading.starts[position])
            position += 3 * octets
            ends.append(reading.ends[position - 1])
    pieces.append(reading.text[position:])
    return Reading("".join(pieces), [*starts, *reading.starts[position:]], [*ends, *reading.ends[position:]], True)


def _characters(octets: bytes) -> Iterator[tuple[str, int]]:
    """The characters of a UTF-8 text, each with its number of octets; an octet that belongs to none stands alone."""
    position = 0
    while position < len(octets):
        for length in (1, 2, 3, 4):
            try:
                character = octets[position : position + length].decode()
            except UnicodeDecodeError:
                continue
            break
        else:
            character, length = "\ufffd", 1
        yield character, length
        position += length

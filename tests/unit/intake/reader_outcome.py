"""What came of reading: the items and problems, or the code under which the whole was refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, BinaryIO

from hypothesis import strategies as st

from tenant_pipeline.intake.readers.item import Item, Items, Problem, UnreadableError

Reader = Callable[[BinaryIO, str], Items]


def read(reader: Reader, content: bytes | str, encoding: str = "utf-8") -> list[Item | Problem]:
    """Everything that a reader yields."""
    return list(reader(io.BytesIO(content.encode() if isinstance(content, str) else content), encoding))


def records(reader: Reader, content: bytes | str, encoding: str = "utf-8") -> list[tuple[str, str, dict[str, Any]]]:
    """The items as table, locator and the fields that have a value."""
    return [
        (item.table, item.locator, {name: value for name, value in item.values.items() if value is not None})
        for item in read(reader, content, encoding)
        if isinstance(item, Item)
    ]


def problems(reader: Reader, content: bytes | str, encoding: str = "utf-8") -> list[tuple[str, str]]:
    """The problems as locator and code."""
    found = read(reader, content, encoding)
    return [(problem.locator, problem.code) for problem in found if isinstance(problem, Problem)]


def refusal(reader: Reader, content: bytes | str, encoding: str = "utf-8") -> str:
    """The code under which the content is refused; "" where it is not."""
    try:
        read(reader, content, encoding)
    except UnreadableError as unreadable:
        return unreadable.code
    return ""


def holds_its_promise(reader: Reader, content: bytes, encoding: str = "utf-8") -> None:
    """Hostile content ends in items that can be stored, in problems, or in a refusal, and the same way twice."""
    outcomes = []
    for _ in range(2):
        found: list[Item | Problem | str] = []
        try:
            for item in reader(io.BytesIO(content), encoding):
                found.append(item)
                if isinstance(item, Item):
                    for name, value in item.values.items():
                        assert isinstance(name, str)
                        assert value is None or isinstance(value, str)
                        f"{item.table}{item.locator}{name}{value}".encode()
        except UnreadableError as unreadable:
            found.append(unreadable.code)
        outcomes.append(found)
    assert outcomes[0] == outcomes[1]


def mutated(valid: bytes) -> st.SearchStrategy[bytes]:
    """A valid file with a stretch of it cut out, overwritten or doubled."""

    def change(place: int, length: int, instead: bytes) -> bytes:
        begin = place % max(1, len(valid))
        return valid[:begin] + instead + valid[begin + length :]

    return st.builds(change, st.integers(0, 10**6), st.integers(0, 64), st.binary(max_size=16))

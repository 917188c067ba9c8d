"""Work in two places at once: the next item is made ready while the one before is used."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import TypeVar

Item = TypeVar("Item")


def one_ahead(executor: Executor, items: Iterator[Item]) -> Iterator[Item]:
    """The items, none of which is None; each is made by `executor` while the one before is used. Two are held."""
    coming = executor.submit(next, items, None)
    while (item := coming.result()) is not None:
        coming = executor.submit(next, items, None)
        yield item

"""How a pure stage lets somebody else decide where its batches are worked on: here, or in several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Batch = TypeVar("Batch")
Result = TypeVar("Result")


class BatchMap(Protocol):
    """A function's results for each batch, in the order of the batches, like the built-in `map`.

    The function and what it takes and gives must be picklable. Batches are taken as they are needed, so that memory
    does not grow with their number.
    """

    def __call__(self, function: Callable[[Batch], Result], batches: Iterable[Batch], /) -> Iterator[Result]: ...

"""What takes minutes is done for few at a time in each process, so that threads are left for everybody's requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tenant_pipeline.api.problems import ProblemError

RETRY_AFTER_SECONDS = 30


class AtOnce:
    """So many places; who comes while all are taken is told to come again, and not kept waiting."""

    def __init__(self, most: int, code: str, title: str) -> None:
        self._places = threading.BoundedSemaphore(most)
        self._code, self._title = code, title

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for as long as the block lasts, in the thread that does the work. Raises ProblemError without one."""
        if not self._places.acquire(blocking=False):
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            raise ProblemError(429, self._code, self._title, "Try again in a while.", headers)
        try:
            yield
        finally:
            self._places.release()

"""Several processors for one large source: a pure function on its batches, in processes of their own.

Python works on one processor at a time, and reading a million distinct values takes minutes. The processes are there
for the length of a stage, and end with the process that began them, also where that is killed.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from loky import cpu_count
from loky.backend import get_context
from loky.process_executor import BrokenProcessPool, ProcessPoolExecutor

from tenant_pipeline.core.batch_map import BatchMap
from tenant_pipeline.core.errors import ProcessLostError

WORTH_ROWS = 100_000
"""From so many rows on the processes save more than their start costs."""

Batch = TypeVar("Batch")
Result = TypeVar("Result")


@contextmanager
def parallel_map(processes: int, rows: int, *, where: str) -> Iterator[BatchMap]:
    """`map` by so many processes, or as many as this one may use processors if 0; the built-in one where that is one,
    or where there are too few rows for processes to be worth it.

    Results come in the order of the batches, and at most one batch more than there are processes is under way. Raises
    ProcessLostError when a process was ended from outside, as the kernel does where memory runs out: it names the place
    of the work, `where`.
    """
    processes = processes or cpu_count()
    if processes == 1 or rows < WORTH_ROWS:
        yield map
        return
    # Not forked: this process has threads, and what they have locked would stay locked in its copy.
    pool = ProcessPoolExecutor(processes, context=get_context("loky"), initializer=_end_with, initargs=(os.getpid(),))

    def in_order(function: Callable[[Batch], Result], batches: Iterable[Batch], /) -> Iterator[Result]:
        under_way: deque[Future[Result]] = deque()
        for batch in batches:
            under_way.append(pool.submit(function, batch))
            if len(under_way) > processes:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    try:
        yield in_order
    except BrokenProcessPool:
        raise ProcessLostError(
            "A process that worked on a part of the source was ended from outside",
            where=where,
            remedy="Give the machine or container more memory, or set TENANT_RUNTIME_PROCESSES=1; then run it again.",
        ) from None
    finally:
        pool.shutdown(wait=True, kill_workers=True)


def _end_with(parent: int) -> None:
    """Let this process end as soon as the one that began it is there no more, killed or not."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

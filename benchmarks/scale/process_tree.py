"""The most memory that this process and all below it hold while something runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

SECONDS_BETWEEN_SAMPLES = 0.2
_MIB = 1024 * 1024


@dataclass
class Peak:
    """The most memory seen, in MiB: of the database's processes, of all others of the tree, and of both at once.

    Proportional set sizes: a page that several processes share counts once.
    """

    database_mib: float = 0.0
    own_mib: float = 0.0
    together_mib: float = 0.0

    def see(self, database: float, own: float) -> None:
        """Take in one sample."""
        self.database_mib = max(self.database_mib, round(database, 1))
        self.own_mib = max(self.own_mib, round(own, 1))
        self.together_mib = max(self.together_mib, round(database + own, 1))


@contextmanager
def watched() -> Iterator[Peak]:
    """Sample the process tree until the block ends."""
    peak, ended = Peak(), threading.Event()

    def watch() -> None:
        while not ended.is_set():
            peak.see(*_held_now())
            ended.wait(SECONDS_BETWEEN_SAMPLES)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def _held_now() -> tuple[float, float]:
    database = own = 0.0
    this = psutil.Process()
    for process in (this, *this.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            held = process.memory_full_info().pss / _MIB
            if process.name().startswith("postgres"):
                database += held
            else:
                own += held
    return database, own

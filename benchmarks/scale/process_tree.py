"""The most memory that this process and all below it hold while something runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil

SECONDS_BETWEEN_SAMPLES = 0.2
_MIB = 1024 * 1024
_DATABASE = "database"


@dataclass
class Peak:
    """The most memory seen, in MiB: of the database's processes, of all others of the tree, and of both at once.

    Proportional set sizes: a page that several processes share counts once. `by_process` is of the moment of the most
    memory of both: what each process held, the database's together.
    """

    database_mib: float = 0.0
    own_mib: float = 0.0
    together_mib: float = 0.0
    by_process: list[tuple[str, float]] = field(default_factory=list)

    def see(self, held: list[tuple[str, float]]) -> None:
        """Take in one sample."""
        database = sum(mib for name, mib in held if name == _DATABASE)
        own = sum(mib for name, mib in held if name != _DATABASE)
        if database + own > self.together_mib:
            ours = [(name, round(mib, 1)) for name, mib in held if name != _DATABASE]
            self.by_process = [*ours, (_DATABASE, round(database, 1))]
        self.database_mib = max(self.database_mib, round(database, 1))
        self.own_mib = max(self.own_mib, round(own, 1))
        self.together_mib = max(self.together_mib, round(database + own, 1))


@contextmanager
def watched() -> Iterator[Peak]:
    """Sample the process tree until the block ends."""
    peak, ended = Peak(), threading.Event()

    def watch() -> None:
        while not ended.is_set():
            peak.see(_held_now())
            ended.wait(SECONDS_BETWEEN_SAMPLES)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def _held_now() -> list[tuple[str, float]]:
    """Each process by the module that it runs, and what it holds."""
    held = []
    this = psutil.Process()
    own_command = this.cmdline()
    for process in (this, *this.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            command = process.cmdline()
            # A child that is about to become another program has this one's memory until then: it would count twice.
            if process == this or command != own_command:
                held.append((_name(process, command), process.memory_full_info().pss / _MIB))
    return held


def _name(process: psutil.Process, command: list[str]) -> str:
    if process.name().startswith("postgres"):
        return _DATABASE
    return command[command.index("-m") + 1] if "-m" in command[:-1] else process.name()

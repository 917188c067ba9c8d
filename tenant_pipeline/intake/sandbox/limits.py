"""What a parser may use, and how a process is held to it for the rest of its life."""

from __future__ import annotations

import resource
import signal
from dataclasses import dataclass, replace
from pathlib import Path

OPEN_FILES = 64


@dataclass(frozen=True)
class ParserLimits:
    """Limits of one parse.

    `memory_bytes` is address space beyond what the interpreter and its libraries hold already. CPU time grows with
    the file: `cpu_seconds` and one second more for every `bytes_a_second`. The clock on the wall may show
    `wall_factor` times as much, since a parser also waits for whoever takes in what it reads.
    """

    memory_bytes: int = 1024**3
    cpu_seconds: int = 60
    bytes_a_second: int = 100 * 1024
    wall_factor: int = 4

    def cpu_seconds_for(self, size: int) -> int:
        """CPU seconds for a file of `size` bytes."""
        return self.cpu_seconds + size // self.bytes_a_second

    def half_as_much_again(self) -> ParserLimits:
        """The limits for sending on what was read within these ones before."""
        return replace(
            self,
            memory_bytes=self.memory_bytes * 3 // 2,
            cpu_seconds=self.cpu_seconds * 3 // 2,
            bytes_a_second=self.bytes_a_second * 2 // 3,
        )


def confine(limits: ParserLimits, size: int, held: int) -> None:
    """Hold this process to the limits: memory, CPU time, time, open files; no byte written to any file, no child.

    `held` are the bytes of address space that the interpreter and its libraries hold: see `address_space`. The kernel
    enforces the limits: past its CPU time a process gets SIGXCPU, past its time SIGALRM, and either ends it.
    """
    memory = held + limits.memory_bytes
    cpu = limits.cpu_seconds_for(size)
    for what, bound in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (bound, bound + 1 if what == resource.RLIMIT_CPU else bound))
    _no_children()
    signal.setitimer(signal.ITIMER_REAL, float(cpu * limits.wall_factor))


def address_space() -> int:
    """Bytes of address space that this process holds; 0 where the system does not tell.

    To be asked before the process gives up its files, the system's own among them.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def _no_children() -> None:
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))

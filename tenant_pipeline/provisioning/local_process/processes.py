"""Which processes are an instance's: by pid and start time together, for a pid alone is given to others later."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tenant_pipeline.core.errors import ProvisioningError

PORT_FILE = "NERVE_PORT_FILE"
KILL_SECONDS = 10.0
START_TIME_TOLERANCE_SECONDS = 2.0
"""A process's start is told in seconds since 1970 by adding the time of boot, which a clock correction may shift."""


@dataclass(frozen=True)
class ProcessIdentity:
    """A process that was seen once: nobody else's, as long as both figures are the same."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity:
        return cls(pid, psutil.Process(pid).create_time())

    def is_alive(self) -> bool:
        """Whether that very process still runs; a zombie does not."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) <= START_TIME_TOLERANCE_SECONDS
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def signal_group(self, number: signal.Signals) -> None:
        """Signal the process group that it leads, if it is still that process."""
        if self.is_alive():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)


def processes_of(folder: Path, uid: int | None = None) -> Iterator[psutil.Process]:
    """The processes that were started for `folder`, and those of `uid`, which is no other's: strays included."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if (
                process.pid != os.getpid()
                and process.status() != psutil.STATUS_ZOMBIE
                and (
                    (uid is not None and process.uids().real == uid)
                    or Path(process.environ().get(PORT_FILE, "")).is_relative_to(folder)
                )
            ):
                yield process


def kill_strays(folder: Path, uid: int | None = None, *, seconds: float = KILL_SECONDS) -> None:
    """Kill whatever still runs for `folder`, until nothing does. Raises ProvisioningError where something stays."""
    deadline = time.monotonic() + seconds
    while strays := list(processes_of(folder, uid)):
        if time.monotonic() > deadline:
            raise ProvisioningError(
                f"{len(strays)} processes cannot be ended", where=folder.name, remedy="Look at what they wait for."
            )
        for process in strays:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(strays, timeout=1)

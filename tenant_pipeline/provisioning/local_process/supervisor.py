"""The process that watches one instance: starts it confined, starts it again when it falls, and gives up with a reason.

`python -m tenant_pipeline.provisioning.local_process.supervisor <orders.json>`, as the leader of a session of its own.
It outlives whoever started it, and holds the lock it was handed for as long as it lives. What falls to nobody falls to
it (a subreaper, prctl(2)), so nothing that the instance started outlives it either.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType
from typing import IO, Any

import psutil

from tenant_pipeline.provisioning.local_process.confinement import Confinement
from tenant_pipeline.provisioning.local_process.private_files import read_json, write_json
from tenant_pipeline.provisioning.local_process.processes import PORT_FILE, ProcessIdentity

PR_SET_CHILD_SUBREAPER = 36
LOG_BYTES = 1 << 20
LOG_LINE_BYTES = 4096
TERMINATION_SECONDS = 5
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""Who has run for so long has not crashed at the start: the count of restarts begins anew."""


class Supervisor:
    """One instance and the watch over it."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self._command: list[str] = orders["command"]
        self._environment: dict[str, str] = orders["environment"]
        self._restarts_allowed = int(orders["restarts"])
        self._state_file = Path(orders["state_file"])
        self._port_file = Path(orders["environment"][PORT_FILE])
        self._confinement = Confinement(
            uid=orders["uid"],
            gid=orders["gid"],
            memory_mebibytes=orders["memory_mebibytes"],
            readable=tuple(map(Path, orders["readable"])),
            writable=self._port_file.parent,
            connects_to=orders.get("connects_to"),  # orders from before there was this say nothing of it
        )
        handler = RotatingFileHandler(orders["log_file"], maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        self._log = logging.Logger("instance", logging.INFO)
        self._log.addHandler(handler)
        self._stopping = False
        self._child = 0

    def run(self) -> None:
        """Keep the instance running until told to stop, or until it has fallen too often."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        restarts, wait = 0, FIRST_WAIT_SECONDS
        while not self._stopping:
            began = time.monotonic()
            reason = self._run_once(restarts)
            self._port_file.unlink(missing_ok=True)
            if time.monotonic() - began >= STEADY_SECONDS:
                restarts, wait = 0, FIRST_WAIT_SECONDS
            if self._stopping:
                break
            self._log.info("supervisor: the instance %s", reason)
            if restarts >= self._restarts_allowed:
                self._tell("given-up", restarts, f"It was started {restarts + 1} times and {reason}.")
                break
            restarts += 1
            self._tell("waiting", restarts, f"It {reason}.")
            self._rest(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
        self._end_what_is_left()

    def _run_once(self, restarts: int) -> str:
        """Start the instance, wait for its end, and say how it ended."""
        try:
            process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=self._port_file.parent,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                preexec_fn=self._confinement.apply,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return f"could not be started: {type(error).__name__}"
        self._child = process.pid
        self._tell("running", restarts, "")
        if self._stopping:
            os.kill(self._child, signal.SIGTERM)
        assert process.stdout is not None
        reader = threading.Thread(target=self._copy_output, args=(process.stdout,), daemon=True)
        reader.start()
        ended = 0
        while ended != self._child:
            ended, status = os.wait()
        process.returncode = os.waitstatus_to_exitcode(status)
        self._child = 0
        self._end_what_is_left()
        reader.join(TERMINATION_SECONDS)
        if process.returncode < 0:
            return f"was ended by {signal.Signals(-process.returncode).name}"
        return f"ended with exit code {process.returncode}"

    def _copy_output(self, output: IO[bytes]) -> None:
        with output:
            while line := output.readline(LOG_LINE_BYTES):
                self._log.info("%s", line.decode(errors="replace").rstrip("\n"))

    def _tell(self, phase: str, restarts: int, reason: str) -> None:
        me = ProcessIdentity.of(os.getpid())
        state = {"pid": me.pid, "started": me.started, "phase": phase, "restarts": restarts, "reason": reason}
        write_json(self._state_file, state)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            signal.signal(signal.SIGALRM, self._kill)
            signal.alarm(TERMINATION_SECONDS)
        if self._child:
            with suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGTERM)

    def _kill(self, number: int, frame: FrameType | None) -> None:
        if self._child:
            with suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            time.sleep(0.05)

    def _end_what_is_left(self) -> None:
        while left := psutil.Process().children(recursive=True):
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            time.sleep(0.01)


def main() -> None:
    """Watch over the instance that the orders name."""
    orders = read_json(Path(sys.argv[1]))
    if orders is None:
        sys.exit(2)
    Supervisor(orders).run()


if __name__ == "__main__":
    main()

"""One generation of an instance: its files, its supervisor, its health.

A change never touches what runs: it makes the next generation beside it. Of number 3 there are `3/` (the instance's own
folder: DSN, token, port) and, beside it and out of the instance's reach, `3.orders.json`, `3.state.json`, `3.log` and
`3.lock`, which the supervisor holds as long as it lives.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from psycopg.conninfo import conninfo_to_dict

import tenant_pipeline
from tenant_pipeline.provisioning.local_process.private_files import (
    is_held,
    read_json,
    read_small,
    write_json,
    write_private,
)
from tenant_pipeline.provisioning.local_process.processes import PORT_FILE, ProcessIdentity, kill_strays
from tenant_pipeline.provisioning.provisioner import InstanceSpecification, Phase, Secret

PACKAGE = Path(tenant_pipeline.__file__).parent
SUPERVISOR = "tenant_pipeline.provisioning.local_process.supervisor"
HEALTH_SECONDS = 2.0
STOP_SECONDS = 8.0
"""Longer than the supervisor gives the instance to end by itself."""
PORT_FILE_BYTES = 16
CODE_DIGITS = 12
"""Of its code's digest, by which an instance says what it runs."""
LOWEST_PORT, HIGHEST_PORT = 1024, 65535


@dataclass(frozen=True)
class Orders:
    """What a generation is to be. Two with the same `wanted` are the same instance."""

    command: tuple[str, ...]
    uid: int | None
    gid: int | None
    readable: tuple[Path, ...]
    restarts: int
    wanted: Mapping[str, Any]


@dataclass(frozen=True)
class Generation:
    """The generation `number` in an instance's `place`."""

    place: Path
    number: int

    @property
    def folder(self) -> Path:
        return self.place / str(self.number)

    @property
    def log(self) -> Path:
        return self._beside("log")

    def _beside(self, kind: str) -> Path:
        return self.place / f"{self.number}.{kind}"

    def make(self, orders: Orders, specification: InstanceSpecification) -> None:
        """Put the files in place; the orders come last, so a generation that has some is whole."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        write_private(self.folder / "dsn", specification.connection.value, owner=orders.uid)
        write_private(self.folder / "token", specification.access_token.value, owner=orders.uid)
        if orders.uid is not None:
            os.chown(self.folder, orders.uid, -1)
        code = self._beside("code")
        code.mkdir(mode=0o755, exist_ok=True)
        with suppress(FileExistsError):
            (code / PACKAGE.name).symlink_to(PACKAGE)
        environment = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "MALLOC_ARENA_MAX": "2",
            "PYTHONPATH": str(code),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "NERVE_TENANT": specification.tenant,
            "NERVE_SCHEMA": specification.database_schema,
            "NERVE_DSN_FILE": str(self.folder / "dsn"),
            "NERVE_TOKEN_FILE": str(self.folder / "token"),
            "NERVE_HOST": "127.0.0.1",
            "NERVE_PORT": "0",
            "NERVE_CODE_VERSION": str(orders.wanted["code"])[:CODE_DIGITS],
            PORT_FILE: str(self.folder / "port"),
        }
        document = {
            "command": list(orders.command),
            "environment": environment,
            "uid": orders.uid,
            "gid": orders.gid,
            "memory_mebibytes": specification.memory_mebibytes,
            "readable": [str(path) for path in (*orders.readable, code)],
            "connects_to": _ports_of(specification.connection.value),
            "restarts": orders.restarts,
            "state_file": str(self._beside("state.json")),
            "log_file": str(self.log),
            "wanted": dict(orders.wanted),
        }
        write_json(self._beside("orders.json"), document)

    def start(self) -> None:
        """Start the supervisor in a session of its own, and hand it the lock that says it lives."""
        lock = os.open(self._beside("lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
            environment["PYTHONPATH"] = str(PACKAGE.parent)
            environment[PORT_FILE] = str(self.folder / "port")
            with self.log.open("ab") as log:
                subprocess.Popen(
                    [sys.executable, "-m", SUPERVISOR, str(self._beside("orders.json"))],
                    env=environment,
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=(lock,),
                )
        finally:
            os.close(lock)

    def is_supervised(self) -> bool:
        """Whether its supervisor lives, from before its first line of code until its end."""
        return is_held(self._beside("lock"))

    def wanted(self) -> dict[str, Any] | None:
        """What it was made for; None where it was never whole."""
        orders = read_json(self._beside("orders.json"))
        return orders["wanted"] if orders else None

    def supervisor(self) -> ProcessIdentity | None:
        """Its supervisor's pid and start time, once it has told them."""
        state = read_json(self._beside("state.json"))
        return ProcessIdentity(state["pid"], state["started"]) if state else None

    def endpoint(self) -> str | None:
        """Where it says that it answers."""
        port = (read_small(self.folder / "port", PORT_FILE_BYTES) or "").strip()
        if not port.isascii() or not port.isdigit() or not LOWEST_PORT <= int(port) <= HIGHEST_PORT:
            return None
        return f"http://127.0.0.1:{port}"

    def credentials(self) -> tuple[Secret, Secret]:
        """The DSN and the token, as the instance reads them."""
        return Secret((self.folder / "dsn").read_text()), Secret((self.folder / "token").read_text())

    def health(self) -> tuple[Phase, str]:
        """How it stands, and why."""
        state = read_json(self._beside("state.json"))
        if state and state["phase"] == "given-up":
            return Phase.UNHEALTHY, f"The supervisor gave up. {state['reason']}"
        supervisor = self.supervisor()
        if not self.is_supervised() or (supervisor is not None and not supervisor.is_alive()):
            return Phase.UNHEALTHY, "Its supervisor does not run."
        if state is None or state["phase"] != "running":
            return Phase.STARTING, (state or {}).get("reason", "")
        endpoint = self.endpoint()
        if endpoint is None:
            return Phase.STARTING, f"It has not told its port yet (restarted {state['restarts']} times)."
        try:
            answer = httpx.get(f"{endpoint}/health/ready", timeout=HEALTH_SECONDS, trust_env=False)
        except httpx.HTTPError as error:
            return Phase.UNHEALTHY, f"It does not answer: {type(error).__name__}."
        if answer.status_code != httpx.codes.OK:
            return Phase.UNHEALTHY, f"It answers with status {answer.status_code}."
        return Phase.HEALTHY, f"restarted {state['restarts']} times" if state["restarts"] else ""

    def has_given_up(self) -> bool:
        """Whether nothing will become of it any more."""
        state = read_json(self._beside("state.json"))
        return not self.is_supervised() or (state is not None and state["phase"] == "given-up")

    def remove(self) -> None:
        """Stop all of it, first gently, then not, and take its files away. What is gone already is no error."""
        deadline = time.monotonic() + STOP_SECONDS
        told = False
        while self.is_supervised() and time.monotonic() < deadline:
            supervisor = self.supervisor()  # it may not have told its pid yet
            if supervisor is not None and not told:
                supervisor.signal_group(signal.SIGTERM)
                told = True
            time.sleep(0.02)
        supervisor = self.supervisor()
        if self.is_supervised() and supervisor is not None:
            supervisor.signal_group(signal.SIGKILL)
        kill_strays(self.folder)
        for kind in ("orders.json", "state.json", "log", "log.1", "lock"):
            self._beside(kind).unlink(missing_ok=True)
        for folder in (self.folder, self._beside("code")):
            if folder.exists():
                shutil.rmtree(folder)


def generations(place: Path) -> list[Generation]:
    """All that is left of any generation in `place`, the oldest first."""
    numbers = {int(entry.name.split(".")[0]) for entry in place.iterdir() if entry.name.split(".")[0].isdigit()}
    return [Generation(place, number) for number in sorted(numbers)]


def _ports_of(dsn: str) -> list[int]:
    """The TCP ports at which the database answers; none where it does at a socket of this machine."""
    told = conninfo_to_dict(dsn)
    hosts = str(told.get("hostaddr") or told.get("host") or "").split(",")
    ports = str(told.get("port") or "5432").split(",")
    return sorted({int(port) for port in ports}) if not all(host.startswith("/") for host in hosts) else []

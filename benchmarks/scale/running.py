"""An installation that is up: database, webserver and daemon as `up` starts them, asked over GraphQL."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tenant_pipeline.services.runtime import Runtime, connect
from tenant_pipeline.settings import Settings

START_SECONDS = 600.0


@dataclass(frozen=True)
class Running:
    """The runtime over the running database, and a client of Dagster's webserver."""

    runtime: Runtime
    webserver: httpx.Client

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the webserver answers. Raises RuntimeError on an error in it."""
        answer = self.webserver.post("/graphql", json={"query": query, "variables": variables}).json()
        if "errors" in answer:
            raise RuntimeError(str(answer["errors"])[:2000])
        data: dict[str, Any] = answer["data"]
        return data


@contextmanager
def up(home: Path) -> Iterator[Running]:
    """Everything that `up` starts over this home, until the block ends."""
    port, workspace_port = _free_port(), _free_port()
    command = [
        sys.executable,
        "-m",
        "tenant_pipeline",
        "up",
        "--port",
        str(port),
        "--workspace-port",
        str(workspace_port),
    ]
    environment = {**os.environ, "TENANT_RUNTIME_HOME": str(home)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300, trust_env=False) as webserver:
            wait_until(lambda: _answers(webserver, process), START_SECONDS)
            with connect(Settings(home=home)) as runtime:
                yield Running(runtime, webserver)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.25) -> None:
    """Return as soon as `condition` holds. Raises TimeoutError when it does not within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(pause)


def _answers(webserver: httpx.Client, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"`up` ended with {process.returncode}")
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
    try:
        answer = webserver.post("/graphql", json={"query": query})
    except httpx.TransportError:
        return False
    return bool(answer.json()["data"]["repositoriesOrError"].get("nodes"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

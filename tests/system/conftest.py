"""A whole installation in a folder of its own, driven from outside as a user would: commands, HTTP and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tenant_pipeline.settings import Settings
from tests.ports import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"


@dataclass(frozen=True)
class Installation:
    """One installation: its home, its further settings (as environment variables), and ways to use it."""

    home: Path
    further: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("DAGSTER", "TENANT_RUNTIME"))}
        return {**clean, **self.further, "TENANT_RUNTIME_HOME": str(self.home), "COLUMNS": "200"}

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home)

    def command(self, *arguments: str, expect: int = 0) -> str:
        """Run a command to its end and return what it printed; the exit code must be `expect`."""
        done = subprocess.run(
            [sys.executable, "-m", "tenant_pipeline", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if expect == 0 else done.stdout + done.stderr

    def json(self, *arguments: str) -> Any:
        """Run a reading command with --json and return what it says."""
        return json.loads(self.command(*arguments, "--json"))

    def register(self, tenant: str, *, agreement: bool = True) -> None:
        """Register a tenant."""
        names = ["--name-en", "Test", "--name-th", "ทดสอบ", "--name-zh", "测试", "--domain", "test.example"]
        signed = ["--pdpa-agreement", "DPA-1"] if agreement else []
        self.command("tenant", "register", tenant, *names, *signed)

    def add(self, tenant: str, origin: str, mode: str, *places: Path, title: str = "a source") -> str:
        """Add a source and return its id."""
        options = ["--tenant", tenant, "--origin", origin, "--unit-mode", mode, "--title", title]
        added: dict[str, str] = self.json("source", "add", *options, *map(str, places))
        return added["id"]


@pytest.fixture(scope="module")
def new_home() -> Iterator[Callable[[], Path]]:
    """Makes folders for homes that the database server's own uid can enter; they are gone after the module."""
    with ExitStack() as stack:

        def make() -> Path:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tenant-runtime-test-")))
            folder.chmod(0o755)
            return folder / "home"

        yield make


@dataclass(frozen=True)
class Running:
    """An installation whose database, webserver and daemon are up."""

    installation: Installation
    url: str
    workspace: str
    process: subprocess.Popen[bytes]

    def graphql(self, query: str, **variables: Any) -> Any:
        """Ask the Dagster webserver; a GraphQL error fails the test."""
        answer = httpx.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def wait_for(self, condition: Callable[[], Any], seconds: float = 120, what: str = "it") -> Any:
        """Wait until `condition` gives something, and return it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.5)
        logs = {path.name: path.read_text()[-3000:] for path in (self.installation.home / "logs").glob("*.log")}
        pytest.fail(f"waited {seconds} s in vain for {what}: {logs}")


def start(installation: Installation) -> Running:
    """`tenant-pipeline up` on a free port; returns once the code location is loaded."""
    port, workspace_port = free_port(), free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tenant_pipeline", "up", "--port", str(port), "--workspace-port", str(workspace_port)],
        env=installation.environment,
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    running = Running(installation, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{workspace_port}", process)

    def loaded() -> bool:
        assert process.poll() is None, "`up` ended before its time"
        try:
            data = running.graphql("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")
        except httpx.TransportError:
            return False
        return bool(data["repositoriesOrError"].get("nodes"))

    try:
        running.wait_for(loaded, what="the webserver")
    except BaseException:  # nobody else will stop it
        stop(running)
        raise
    return running


def stop(running: Running) -> None:
    """Stop it as a person would, with Ctrl-C, or with force when it will not."""
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGINT)
        try:
            running.process.wait(60)
        except subprocess.TimeoutExpired:
            running.process.kill()


def assert_nothing_is_left_after(running: Running, number: signal.Signals) -> None:
    """It ends by itself at that signal, and none of its processes is there any more."""
    processes = psutil.Process(running.process.pid).children(recursive=True)
    assert len(processes) >= 4, "database, webserver, daemon and their code servers"
    os.kill(running.process.pid, number)
    assert running.process.wait(90) == 0
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]

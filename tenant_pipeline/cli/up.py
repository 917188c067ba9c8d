"""`up`: the database, Dagster's webserver and its daemon as one group that starts and stops as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated

import psutil
import psycopg
import typer

from tenant_pipeline.api.served_address import address_of
from tenant_pipeline.cli.code_locations import CODE_LOCATIONS, code_servers, is_served, workspace_file
from tenant_pipeline.cli.dagster_environment import dagster_environment
from tenant_pipeline.cli.process_logs import turn_over
from tenant_pipeline.cli.shell import complaints, opened
from tenant_pipeline.cli.supervised import die_with_parent
from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.provisioning.provisioner import Provisioner
from tenant_pipeline.services.provisioning.backends import backend_of
from tenant_pipeline.services.provisioning.standing import bring_back
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.owned_folder import clear_abandoned_work, working_folder

START_SECONDS = 300
STOP_SECONDS = 15
INSTANCE_SECONDS = 30.0
BETWEEN_STARTS_SECONDS = 5.0
JSON_LOG = ("--log-format", "json")


class StopRequestedError(Exception):
    """Ctrl-C or SIGTERM: time to stop everything."""


def up(
    port: Annotated[int | None, typer.Option(help="Port of the Dagster UI.")] = None,
    workspace_port: Annotated[int | None, typer.Option(help="Port of the workspace and its API.")] = None,
    host: Annotated[str, typer.Option(help="Address that both listen on.")] = "127.0.0.1",
) -> None:
    """Run the database, the workspace, the Dagster UI and the daemon until Ctrl-C or SIGTERM; then stop them all."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _request_stop)
    settings = Settings()
    workspace = workspace_port or settings.workspace_port
    with ExitStack() as stack:
        try:
            clear_abandoned_work()
            runtime = stack.enter_context(opened())
            backend = backend_of(runtime)
            webserver = port or settings.webserver_port
            dagster_url = address_of(host, webserver)
            told = {"TENANT_RUNTIME_DAGSTER_URL": settings.dagster_url or dagster_url}
            environment = {**os.environ, **dagster_environment(runtime), **told}
            logs = settings.home / "logs"
            logs.mkdir(parents=True, exist_ok=True, mode=0o700)
            sockets = stack.enter_context(working_folder("code"))
            group = stack.enter_context(_ProcessGroup(environment, logs))
            for location, module in code_servers(sockets).items():
                group.start(location, module)
            code = ["--workspace", str(workspace_file(sockets))]
            group.wait_until(lambda: all(is_served(sockets, location) for location in CODE_LOCATIONS))
            group.start(
                "webserver",
                ["tenant_pipeline.cli.dagster_ui", "--host", host, "--port", str(webserver), *JSON_LOG, *code],
            )
            group.start("daemon", ["tenant_pipeline.cli.dagster_daemon", "run", *JSON_LOG, *code])
            group.start("workspace", ["tenant_pipeline", "workspace", "--host", host, "--port", str(workspace)])
            complaints.print(
                f"Workspace: {address_of(host, workspace)}   "
                "a link to come in: tenant-pipeline sign-in PERSON --tenant ID",
                highlight=False,
                soft_wrap=True,
            )
            complaints.print(
                f"Dagster UI: {dagster_url}   logs: {logs}   stop: Ctrl-C",
                highlight=False,
                markup=False,
            )
            stack.enter_context(_bringing_instances_back(runtime, backend))
            group.watch(partial(_revive_database, runtime))
        except StopRequestedError:
            complaints.print("Stopping.")


def _request_stop(number: int, frame: FrameType | None) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise StopRequestedError


@contextmanager
def _bringing_instances_back(runtime: Runtime, backend: Provisioner) -> Iterator[None]:
    """Meanwhile have instances stand again, one after another, while all else is served already.

    At the end the one that is under way is waited for: it is to rest with the embedded database.
    """
    stopping = threading.Event()
    thread = threading.Thread(target=_bring_instances_back, args=(runtime, backend, stopping), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(INSTANCE_SECONDS + STOP_SECONDS)


def _bring_instances_back(runtime: Runtime, backend: Provisioner, stopping: threading.Event) -> None:
    try:
        for instance in bring_back(runtime, backend, timeout=INSTANCE_SECONDS):
            complaints.print(
                f"Nerve of {instance.tenant}: {instance.phase} {instance.endpoint or instance.detail}",
                highlight=False,
                markup=False,
            )
            if stopping.is_set():
                return
    except (TenantRuntimeError, psycopg.Error) as error:
        why = error if isinstance(error, TenantRuntimeError) else type(error).__name__
        complaints.print(
            f"Instances are left to the sensor `clock`: {why}", highlight=False, markup=False, soft_wrap=True
        )


def _revive_database(runtime: Runtime) -> None:
    """Start the database again if it has ended by itself: what is under way waits for it."""
    try:
        if runtime.server is not None and runtime.server.revive():
            complaints.print("The database had ended by itself, and runs again.")
    except TenantRuntimeError as error:
        complaints.print(f"The database has ended by itself: {error}", highlight=False, markup=False, soft_wrap=True)
        time.sleep(BETWEEN_STARTS_SECONDS)


class _ProcessGroup:
    """Child processes that live and die together, their grandchildren included."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = environment
        self._logs = logs
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> _ProcessGroup:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def start(self, name: str, module: Sequence[str]) -> None:
        """Start `python -m module…` with its output in a log file; it dies when this process does, however."""
        with (self._logs / f"{name}.log").open("ab") as log:
            self._children[name] = subprocess.Popen(
                [sys.executable, "-m", *module],
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait for something that they do. Raises TenantRuntimeError when one of them ends before, or it takes long."""
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            self._require_all()
            if time.monotonic() > deadline:
                raise TenantRuntimeError(
                    f"The code locations were not loaded within {START_SECONDS} seconds",
                    where=str(self._logs),
                    remedy="Their logs there say how far they came; start again when the machine has less to do.",
                )
            time.sleep(0.1)

    def watch(self, meanwhile: Callable[[], None]) -> None:
        """Wait until one of them ends, which none should, and keep their logs from growing without end.

        Raises TenantRuntimeError naming the one that ended, and its log.
        """
        while True:
            self._require_all()
            turn_over(self._logs)
            meanwhile()
            time.sleep(0.5)

    def _require_all(self) -> None:
        for name, child in self._children.items():
            if child.poll() is not None:
                raise TenantRuntimeError(
                    f"The {name} ended with exit code {child.returncode}",
                    where=str(self._logs / f"{name}.log"),
                    remedy="Its log says why.",
                )

    def _stop(self) -> None:
        processes = [
            process
            for child in self._children.values()
            if psutil.pid_exists(child.pid)
            for process in _with_descendants(child.pid)
        ]
        for child in self._children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(processes, timeout=STOP_SECONDS)
        for process in alive:
            process.terminate()
        _, alive = psutil.wait_procs(alive, timeout=STOP_SECONDS)
        for process in alive:
            process.kill()
        for child in self._children.values():
            child.wait()


def _with_descendants(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []

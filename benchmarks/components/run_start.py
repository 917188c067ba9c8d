"""A run over one small source by a forked process, beside one by a new Python.

`python -m benchmarks.components.run_start RUNS`. Two servers of the same code location: the one that `up` starts, whose
runs are forked from a process that has loaded the code, and Dagster's own, which starts a new Python for each run. Both
are asked for runs one after the other, over sources of the same shape; the first run of each is not counted. The time
is that of the runs' processes, without the parsers' server, which each run starts in either case, and the database.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import psutil
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import ExecuteExternalJobArgs, GetCurrentRunsResult
from dagster._serdes import deserialize_value

from benchmarks.components.figure import figure, print_figures
from benchmarks.scale.installation import add_halls, installation, register
from benchmarks.scale.running import wait_until
from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.cli.code_locations import code_servers, is_served
from tenant_pipeline.cli.dagster_environment import dagster_environment
from tenant_pipeline.cli.dagster_run import dagster_instance
from tenant_pipeline.core.tenancy import TenantId, partition_key
from tenant_pipeline.definitions import defs
from tenant_pipeline.sensors.uploads import NORMALISE_SOURCES, range_tags
from tenant_pipeline.services.sources import Source, get_source

TENANT = TenantId("components")
LOCATION = "tenant_pipeline.definitions"
LONGEST_SECONDS = 600.0
PR_SET_PDEATHSIG = 1


def main(runs: int) -> None:
    """Measure and print."""
    with installation() as runtime, tempfile.TemporaryDirectory(prefix="runs-") as folder:
        register(runtime, TENANT)
        sources = [add_halls(runtime, TENANT, number, Path(folder)) for number in range(2 * (runs + 1))]
        environment = {**os.environ, **dagster_environment(runtime)}
        with dagster_instance(runtime) as instance:
            instance.add_dynamic_partitions(TENANT_SOURCE, [partition_key(TENANT, each.id) for each in sources])
            sockets = Path(folder)
            module, *arguments = code_servers(sockets)[LOCATION]
            halves = sources[: runs + 1], sources[runs + 1 :]
            with _served(["-m", module, *arguments], sockets, environment) as server:
                forked = _seconds_a_run(server, sockets, instance, halves[0])
            with _served(["-m", "dagster", "api", "grpc", *arguments], sockets, environment) as server:
                new = _seconds_a_run(server, sockets, instance, halves[1])
        with runtime.database.tenant(TENANT) as connection:
            for each in sources:
                status = get_source(connection, TENANT, each.id).ingest_status
                if status != "assembled":
                    raise AssertionError(f"{each.id} is {status}")
    print_figures(
        figure("a run over one small source, forked", "seconds of processor time", forked,
               beside="in a new Python", beside_value=new, ratio=forked / new, runs=runs)
    )  # fmt: skip


@contextmanager
def _served(command: Sequence[str], sockets: Path, environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    """A server of the code location, until the block ends."""
    server = subprocess.Popen(
        [sys.executable, *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_end_with_parent,
    )
    try:
        wait_until(lambda: is_served(sockets, LOCATION) or server.poll() is not None, LONGEST_SECONDS)
        if server.poll() is not None:
            raise RuntimeError(f"the code server ended with {server.returncode}")
        yield psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(60)


def _end_with_parent() -> None:
    """Have the kernel end this process with the one that began it, which may be killed. On Linux alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _seconds_a_run(
    server: psutil.Process, sockets: Path, instance: dg.DagsterInstance, sources: Sequence[Source]
) -> float:
    """Processor seconds of a run, without the first, with which what all others are forked from begins."""
    first, *others = sources
    _run(sockets, instance, first)
    began = _of_ended(server)
    for each in others:
        _run(sockets, instance, each)
    return (_of_ended(server) - began) / len(others)


def _of_ended(server: psutil.Process) -> float:
    """Processor seconds of the processes below the server that have ended."""
    seconds = 0.0
    for process in (server, *server.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            seconds += used.children_user + used.children_system
    return seconds


def _run(sockets: Path, instance: dg.DagsterInstance, source: Source) -> None:
    """Ask the server for a run, as Dagster's launcher does, and wait until its process has ended."""
    socket = str(sockets / LOCATION.rpartition(".")[2])
    location = GrpcServerCodeLocationOrigin("localhost", socket=socket, location_name=LOCATION)
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), NORMALISE_SOURCES)
    job = defs.resolve_job_def(NORMALISE_SOURCES)
    run_id = instance.create_run_for_job(job, tags=range_tags([source]), remote_job_origin=origin).run_id
    client = DagsterGrpcClient(socket=socket)
    client.start_run(ExecuteExternalJobArgs(job_origin=origin, run_id=run_id, instance_ref=instance.get_ref()))
    wait_until(lambda: run_id not in _in_hand(client), LONGEST_SECONDS)


def _in_hand(client: DagsterGrpcClient) -> Sequence[str]:
    """The runs whose processes the server has not seen ended yet."""
    return deserialize_value(client.get_current_runs(), GetCurrentRunsResult).current_runs


if __name__ == "__main__":
    main(int(sys.argv[1]))

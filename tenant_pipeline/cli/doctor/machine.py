"""The machine: what the processes have to live on."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import tenant_pipeline
from tenant_pipeline.cli.doctor.finding import Finding, Patient, advice, fine, wrong
from tenant_pipeline.intake.sandbox.isolation import isolate

LEAST_FREE_BYTES = 2 * 1024**3
LEAST_FREE_FILES = 50_000
LEAST_TEMPORARY_BYTES = 512 * 1024**2
LEAST_DESCRIPTORS = 1024
OLDEST_PYTHON = (3, 11)


def python(patient: Patient) -> Finding:
    """The interpreter is new enough."""
    says = f"Python {'.'.join(map(str, sys.version_info[:3]))}"
    return fine(says) if sys.version_info >= OLDEST_PYTHON else wrong(says, "Use Python 3.11 or newer.")


def disk(patient: Patient) -> Finding:
    """There is space for what comes in."""
    home = patient.settings.home
    free = shutil.disk_usage(_there(home)).free
    says = f"{free / 1024**3:.1f} GiB free for {home}"
    if free >= LEAST_FREE_BYTES:
        return fine(says)
    return wrong(says, "Free some space, or set TENANT_RUNTIME_HOME to a larger disk.")


def inodes(patient: Patient) -> Finding:
    """There is room for more files: every stage of every source is some."""
    found = os.statvfs(_there(patient.settings.home))
    if not found.f_files:  # file systems that make them as they go
        return fine("the file system does not count its files")
    says = f"room for {found.f_favail:,} more files"
    return (
        fine(says) if found.f_favail >= LEAST_FREE_FILES else wrong(says, "Move the home to a file system with more.")
    )


def temporary_files(patient: Patient) -> Finding:
    """Temporary files can be written where they are said to be."""
    said = os.environ.get("TMPDIR")
    if said and not (Path(said).is_dir() and os.access(said, os.W_OK | os.X_OK)):
        return wrong(f"TMPDIR names {said}, where nothing can be written", "Make the folder, or unset TMPDIR.")
    folder = tempfile.gettempdir()
    with tempfile.NamedTemporaryFile(dir=folder) as probe:
        probe.write(b"x")
    free = shutil.disk_usage(folder).free
    if free < LEAST_TEMPORARY_BYTES:
        return wrong(f"{free / 1024**2:.0f} MiB free in {folder}", "Free some, or set TMPDIR to a larger disk.")
    return fine(f"temporary files go to {folder}")


def descriptors(patient: Patient) -> Finding:
    """A process may have enough files and connections open."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    says = f"at most {most:,} open files a process"
    return fine(says) if most >= LEAST_DESCRIPTORS else wrong(says, "Raise it: `ulimit -n 4096`, or LimitNOFILE=.")


def sandbox(patient: Patient) -> Finding:
    """Parsers can give up the files and the network before they read what somebody sent."""
    given_up = _given_up()
    if "files" not in given_up:
        return wrong(
            "parsers cannot be kept from the file system: Landlock is not to be had",
            "Use Linux 5.13 or newer with Landlock among its security modules (`lsm=landlock,…`).",
        )
    if not {"network", "tcp"} & set(given_up):
        return wrong(
            "parsers cannot be kept from the network",
            "Use Linux 6.7 or newer; outside of containers user namespaces do as well"
            " (`kernel.unprivileged_userns_clone=1`).",
        )
    return fine(f"parsers give up {', '.join(given_up)}")


def ports(patient: Patient) -> Finding:
    """The ports are free, or it is we who listen there."""
    places = (
        ("WORKSPACE_PORT", patient.settings.workspace_port, "/api/healthz", "status"),
        ("WEBSERVER_PORT", patient.settings.webserver_port, "/server_info", "dagster_version"),
    )
    taken = [(name, port) for name, port, path, key in places if _is_taken(port) and not _answers(port, path, key)]
    if taken:
        says = ", ".join(f"port {port} is taken by another program" for _, port in taken)
        return wrong(says, f"Stop that program, or set {' and '.join(f'TENANT_RUNTIME_{name}' for name, _ in taken)}.")
    return fine("the ports are free, or ours")


def clock(patient: Patient) -> Finding:
    """This machine and the database agree on the time: tokens, approvals and feeds go by it."""
    with patient.connection() as connection:
        before = patient.now()
        row = connection.execute("SELECT clock_timestamp() AS at").fetchone() or {}
        middle = before + (patient.now() - before) / 2
    apart = abs((row["at"] - middle).total_seconds())
    says = f"this clock and the database's are {apart:.1f} s apart"
    if apart < 2:
        return fine(says)
    remedy = "Have both machines keep time by NTP (`timedatectl set-ntp true`)."
    return wrong(says, remedy) if apart >= 30 else advice(says, remedy)


def _there(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def _given_up() -> list[str]:
    """What a process can give up here: found out by one that does, and then ends."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, json.dumps(isolate(Path(tenant_pipeline.__file__).parent)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:
        said = answer.read()
    os.waitpid(child, 0)
    found: list[str] = json.loads(said or b"[]")
    return found


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _answers(port: int, path: str, key: str) -> bool:
    try:
        with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}{path}", timeout=3) as answer:
            return key in json.loads(answer.read(4096))
    except (URLError, OSError, ValueError, TypeError):
        return False

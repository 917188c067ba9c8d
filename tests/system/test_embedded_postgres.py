"""The embedded database starts again after whatever happened to the process that ran it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.storage import embedded_postgres
from tenant_pipeline.storage.embedded_postgres import EmbeddedPostgres

_SUPERVISOR = """
import sys, time
from pathlib import Path
from tenant_pipeline.storage.embedded_postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])):
    print("runs", flush=True)
    time.sleep(600)
"""


def test_no_folder_is_left_where_the_socket_had_to_lie_elsewhere(new_home: Callable[[], Path]) -> None:
    directory = new_home() / ("deep" * 20) / "postgres"
    with EmbeddedPostgres(directory):
        socket = Path(str(conninfo_to_dict((directory / "dsn").read_text())["host"]))
        assert directory not in socket.parents, "its path would be too long for a socket"
        assert socket.is_dir()
    assert not socket.exists()


def test_it_starts_when_the_server_of_a_killed_supervisor_is_still_shutting_down(new_home: Callable[[], Path]) -> None:
    directory = new_home() / "postgres"
    supervisor = subprocess.Popen(
        [sys.executable, "-c", _SUPERVISOR, str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == "runs\n"
    server = int(next(directory.parent.rglob("postmaster.pid")).read_text().split()[0])
    os.kill(server, signal.SIGSTOP)  # a shutdown that takes its time
    supervisor.kill()
    supervisor.wait()
    slow = threading.Timer(1.5, os.kill, (server, signal.SIGCONT))
    slow.start()
    begun = time.monotonic()
    with EmbeddedPostgres(directory):
        assert time.monotonic() - begun > 1
        dsn = (directory / "dsn").read_text()
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    slow.join()


def test_a_new_home_begins_empty_and_one_that_was_there_before_has_its_database_when_it_comes_back(
    new_home: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place, home = new_home(), new_home() / "hidden"
    gone, can_be_entered = home.with_name("gone"), embedded_postgres._can_be_entered

    def as_below_root(folder: Path) -> bool:
        return home not in (folder, *folder.parents) and can_be_entered(folder)

    def started() -> object:
        with (
            EmbeddedPostgres(home / "postgres"),
            psycopg.connect((home / "postgres" / "dsn").read_text()) as connection,
        ):
            return connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()

    monkeypatch.setattr(embedded_postgres, "SYSTEM_PLACE", place)
    monkeypatch.setattr(embedded_postgres, "_can_be_entered", as_below_root)
    masked = os.umask(0o077)
    try:
        first = started()
    finally:
        os.umask(masked)
    (data,) = place.glob("*/PG_VERSION")
    home.rename(gone)
    second = started()
    assert second != first
    assert str(data.parent) in caplog.text
    assert started() == second
    shutil.rmtree(home)
    gone.rename(home)
    assert started() == first

    (home / "postgres" / "password").unlink()
    (home / "keys").mkdir()
    with pytest.raises(SettingsError, match="password to it is missing") as refused:
        EmbeddedPostgres(home / "postgres").start()
    assert refused.value.where == str(data.parent)


def test_its_log_is_private_and_holds_no_rows(new_home: Callable[[], Path]) -> None:
    directory = new_home() / "postgres"
    with EmbeddedPostgres(directory):
        dsn = (directory / "dsn").read_text()
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE people (name text PRIMARY KEY)")
            connection.execute("INSERT INTO people VALUES ('somchai')")
            with suppress(psycopg.errors.UniqueViolation):
                connection.execute("INSERT INTO people VALUES ('somchai')")
    log = directory / "postgres.log"
    assert "people_pkey" in log.read_text()
    assert "somchai" not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600

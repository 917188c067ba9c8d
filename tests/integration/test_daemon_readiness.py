"""The daemon is ready when each part that work waits for gives signs of life: sensors, schedules, the run queue.

And who only asks whether all is well changes nothing.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from tenant_pipeline.cli import main
from tenant_pipeline.services.observation.readiness import LATE_SECONDS, why_daemon_not_ready
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.dagster_database import dagster_conninfo, ensure_dagster_database

NEEDED = ("SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR")


def test_a_part_of_the_daemon_that_is_silent_is_named(own_installation: Runtime) -> None:
    runtime = own_installation
    ensure_dagster_database(runtime.database)
    with psycopg.connect(dagster_conninfo(None, runtime.database), autocommit=True) as connection:

        def sign(part: str, seconds_ago: float) -> None:
            connection.execute(
                "INSERT INTO daemon_heartbeats VALUES (%s, %s)"
                " ON CONFLICT (daemon_type) DO UPDATE SET body = excluded.body",
                (part, json.dumps({"timestamp": time.time() - seconds_ago})),
            )

        connection.execute("CREATE TABLE daemon_heartbeats (daemon_type text PRIMARY KEY, body text)")
        for part in NEEDED:
            sign(part, 0)
        assert why_daemon_not_ready(runtime) is None
        for part in NEEDED:
            sign(part, LATE_SECONDS + 60)
            unready = why_daemon_not_ready(runtime)
            assert unready is not None
            assert f"No sign of {part.lower()} for" in unready.says
            sign(part, 0)


def test_asking_for_health_in_a_home_without_keys_says_so_and_makes_none(
    own_installation: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("TENANT_RUNTIME_HOME", str(home))
    monkeypatch.setenv("TENANT_RUNTIME_DATABASE_DSN", own_installation.database.conninfo())
    missing = CliRunner().invoke(main.app, ["health"])
    assert (missing.exit_code, home.exists()) == (1, False)
    assert "keys: The master key is missing." in missing.stderr
    (home / "keys").mkdir(parents=True)
    (home / "keys" / "master.key").write_bytes(b"cut")
    changed = CliRunner().invoke(main.app, ["health"])
    assert changed.exit_code == 1
    assert "keys: A key file was changed" in changed.stderr

"""The daemon is ready when each part that work waits for gives signs of life: sensors, schedules, the run queue."""

from __future__ import annotations

import json
import time

import psycopg

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

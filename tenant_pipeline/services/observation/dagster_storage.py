"""What Dagster's own storage says of its daemon and its runs."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

_OLDEST_RUN = """
    SELECT coalesce(max(extract(epoch FROM now()) - start_time), 0) AS seconds FROM runs WHERE status = 'STARTED'
"""
_FAILED_RUNS = """
    SELECT run.pipeline_name AS job, coalesce(ended_by.value, 'fault') AS by, count(*) AS runs
      FROM runs AS run
      LEFT JOIN run_tags AS ended_by ON ended_by.run_id = run.run_id AND ended_by.key = 'tenant_runtime/ended_by'
     WHERE run.status = 'FAILURE' AND run.end_time > extract(epoch FROM now()) - 3600
       AND run.update_timestamp > (now() AT TIME ZONE 'UTC') - interval '1 hour'
     GROUP BY 1, 2
"""
_FAILED_TICKS = """
    SELECT tick.sensor, count(*) AS ticks
      FROM instigators AS instigator
     CROSS JOIN LATERAL (SELECT tick_body::jsonb ->> 'job_name' AS sensor FROM job_ticks
                          WHERE selector_id = instigator.selector_id AND status = 'FAILURE'
                            AND timestamp > (now() AT TIME ZONE 'UTC') - interval '1 hour') AS tick
     GROUP BY 1
"""
"""Sensor by sensor, as the index goes: of ticks there are hundreds of thousands."""


def heartbeat_ages(conninfo: str) -> dict[str, float]:
    """Since how many seconds each part of Dagster's daemon has given no sign. Raises psycopg.Error."""
    rows = _rows(
        conninfo,
        "SELECT daemon_type AS part, extract(epoch FROM now()) - (body::jsonb->>'timestamp')::float8 AS age"
        " FROM daemon_heartbeats",
    )
    return {row["part"]: float(row["age"]) for row in rows}


def unfinished_runs(conninfo: str) -> dict[str, int]:
    """How many runs are queued, starting or started, by status. Raises psycopg.Error."""
    rows = _rows(
        conninfo,
        "SELECT status, count(*) AS runs FROM runs WHERE status IN ('QUEUED', 'STARTING', 'STARTED') GROUP BY status",
    )
    return {row["status"]: row["runs"] for row in rows}


def oldest_run_seconds(conninfo: str) -> float:
    """For how long the run that was started first has run; 0 without any. Raises psycopg.Error."""
    (row,) = _rows(conninfo, _OLDEST_RUN)
    return float(row["seconds"])


def failures(conninfo: str) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """What failed within the hour: runs by job and by whose fault, ticks by sensor. Raises psycopg.Error."""
    runs = _rows(conninfo, _FAILED_RUNS)
    ticks = _rows(conninfo, _FAILED_TICKS)
    return {(row["job"], row["by"]): row["runs"] for row in runs}, {row["sensor"]: row["ticks"] for row in ticks}


def _rows(conninfo: str, statement: str) -> list[dict[str, Any]]:
    with psycopg.connect(conninfo, connect_timeout=3, row_factory=dict_row) as connection:
        connection.execute("SET statement_timeout = '5s'")
        return connection.execute(statement).fetchall()

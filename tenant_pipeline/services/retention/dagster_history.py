"""What Dagster keeps of no run and never deletes by itself: evaluations of checks, events, and logs of ticks."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from tenant_pipeline.services.retention.runs import needed_runs
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.dagster_database import dagster_conninfo

_FOLDER = files("tenant_pipeline.services.retention")


def prune_runless_evaluations(runtime: Runtime, before: datetime) -> int:
    """Delete evaluations of checks of before then that belong to no run and that others have followed on; return how
    many."""
    return _deleted(runtime, "runless_evaluations.sql", before)


def prune_runless_events(runtime: Runtime, before: datetime) -> int:
    """Delete events of before then that belong to no run and that others have followed on; return how many.

    What an evaluation rests on stays with it: `prune_runless_evaluations` comes first.
    """
    return _deleted(runtime, "runless_events.sql", before)


def _deleted(runtime: Runtime, statement: str, before: datetime) -> int:
    _, held = needed_runs(runtime)
    conninfo = dagster_conninfo(runtime.settings.dagster_dsn, runtime.database)
    with psycopg.connect(conninfo, row_factory=dict_row) as connection:
        connection.execute("SET TIME ZONE 'UTC'")  # as Dagster writes its times, which name no zone
        sql = _FOLDER.joinpath(statement).read_text(encoding="utf-8")
        row = connection.execute(sql, {"before": before, "held": sorted(held)}).fetchone()
    return int(row["deleted"]) if row else 0


def prune_tick_logs(folder: Path, before: datetime) -> int:
    """Delete what ticks of before then have written, and the folders that this leaves empty; return how many files."""
    deleted = 0
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.stat().st_mtime < before.timestamp():
            path.unlink()
            deleted += 1
    return deleted

"""What Dagster's database keeps of a tenant: events with previews of its rows, evaluations of checks, and runs.

Dagster deletes by run alone, and a run may be over several tenants. What is this tenant's is therefore told by one
statement, which finds what is to go and afterwards whether anything is left.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.dagster_database import DATABASE, dagster_conninfo

_HISTORY = files("tenant_pipeline.services.erasure").joinpath("tenant_history.sql")
_DELETED = (
    "DELETE FROM asset_event_tags USING history WHERE kind = 'event' AND event_id = history.id::bigint",
    "DELETE FROM event_logs AS event USING history WHERE kind = 'event' AND event.id = history.id::bigint",
    "DELETE FROM asset_check_executions AS evaluation USING history"
    " WHERE kind = 'evaluation' AND evaluation.id = history.id::bigint",
    # Dagster then looks for the asset's last materialisation among its events.
    "UPDATE asset_keys AS asset SET last_materialization = NULL FROM history"
    " WHERE kind = 'asset' AND asset.id = history.id::bigint",
    "DELETE FROM runs USING history WHERE kind = 'run' AND run_id = history.id",
)

Row = dict[str, Any]


def forget_history(runtime: Runtime, tenant: TenantId) -> Mapping[str, int]:
    """Delete what Dagster keeps of the tenant, and what its runs have written; return how much of each kind.

    Raises psycopg.OperationalError where Dagster's database does not answer.
    """
    with _connected(runtime) as connection:
        if connection is None:
            return {}
        connection.execute("CREATE TEMPORARY TABLE history (kind text, id text) ON COMMIT DROP")
        connection.execute(f"INSERT INTO history {_of_tenant()}", _given(tenant))
        found = connection.execute("SELECT kind, id FROM history WHERE kind = 'run'").fetchall()
        counted = connection.execute("SELECT kind, count(*) AS number FROM history GROUP BY kind").fetchall()
        for run in found:
            shutil.rmtree(runtime.settings.dagster_home / "storage" / run["id"], ignore_errors=True)
        for statement in _DELETED:
            connection.execute(statement)
    return {row["kind"]: row["number"] for row in counted}


def history_left(runtime: Runtime, tenant: TenantId) -> Mapping[str, int]:
    """How much of each kind Dagster keeps of the tenant. Raises psycopg.OperationalError as `forget_history` does."""
    with _connected(runtime) as connection:
        if connection is None:
            return {}
        return Counter(row["kind"] for row in connection.execute(_of_tenant(), _given(tenant)))


@contextmanager
def _connected(runtime: Runtime) -> Iterator[psycopg.Connection[Row] | None]:
    """A transaction in Dagster's database; None where nothing was ever run, so that there is none or an empty one."""
    if runtime.settings.dagster_dsn is None:
        with runtime.database.administration() as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
                yield None
                return
    with psycopg.connect(
        dagster_conninfo(runtime.settings.dagster_dsn, runtime.database), row_factory=dict_row
    ) as dagster:
        row = dagster.execute("SELECT to_regclass('asset_check_executions') IS NOT NULL AS used").fetchone()
        yield dagster if row and row["used"] else None


def _of_tenant() -> str:
    return _HISTORY.read_text(encoding="utf-8").rstrip().removesuffix(";")


def _given(tenant: TenantId) -> dict[str, str]:
    return {"tenant": tenant, "named": rf"(^|[^a-z0-9-]){tenant}\|"}

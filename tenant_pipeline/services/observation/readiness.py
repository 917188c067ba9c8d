"""Whether the installation can do its work now: small examinations that cost milliseconds and change nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg

from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.services.observation.dagster_storage import heartbeat_ages
from tenant_pipeline.services.observation.database_room import try_room
from tenant_pipeline.services.observation.object_store import try_objects
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.dagster_database import dagster_conninfo
from tenant_pipeline.storage.migrations import head_version, version_of

PARTS = ("SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR")
"""The parts of Dagster's daemon that the installation cannot do without."""

LATE_SECONDS = 180.0
"""Dagster's daemon gives a sign every half minute, and less often while it has much to do."""

CONNECT_SECONDS = 3
MORE = "`tenant-pipeline doctor` says more."


@dataclass(frozen=True)
class Unready:
    """Why there can be no work now: which examination says so, and what to do. No secret, and no word of the inside."""

    examination: str
    says: str
    remedy: str


def why_no_key(settings: Settings) -> Unready | None:
    """Whether the master key is missing, to be asked before the installation is opened: that would make a new one."""
    missing = _missing_key(settings)
    return Unready("keys", missing, MORE) if missing else None


def why_not_ready(runtime: Runtime) -> Unready | None:
    """The first thing that keeps the installation from its work, or None."""
    return _first(runtime, _EXAMINATIONS)


def why_daemon_not_ready(runtime: Runtime) -> Unready | None:
    """The first thing that keeps Dagster's daemon from its work, or None."""
    return _first(runtime, {**_EXAMINATIONS, "daemon": _daemon})


def _first(runtime: Runtime, examinations: Mapping[str, Callable[[Runtime], str]]) -> Unready | None:
    for name, examine in examinations.items():
        try:
            wrong = examine(runtime)
        except psycopg.errors.DiskFull:
            wrong = "PostgreSQL has no room on its disk."
        except psycopg.Error as error:
            wrong = f"PostgreSQL does not answer ({type(error).__name__})."
        except (TenantRuntimeError, OSError) as error:
            wrong = error.what if isinstance(error, TenantRuntimeError) else f"It failed ({type(error).__name__})."
        if wrong:
            return Unready(name, wrong, MORE)
    return None


def _database(runtime: Runtime) -> str:
    with psycopg.connect(runtime.database.platform_conninfo(), connect_timeout=CONNECT_SECONDS) as connection:
        connection.execute("SET statement_timeout = '3s'")
        connection.execute("SELECT FROM runtime.tenants LIMIT 1")
        try_room(connection)
    return ""


def _version(runtime: Runtime) -> str:
    with psycopg.connect(runtime.database.conninfo(), connect_timeout=CONNECT_SECONDS) as connection:
        found, wanted = version_of(connection), head_version()
    return "" if found == wanted else f"The database is at version {found or 'none'}, and this code at {wanted}."


def _keys(runtime: Runtime) -> str:
    missing = _missing_key(runtime.settings)
    if not missing:
        runtime.keys.login_secret()
    return missing


def _missing_key(settings: Settings) -> str:
    return "" if (settings.keys_directory / "master.key").exists() else "The master key is missing."


def _objects(runtime: Runtime) -> str:
    try_objects(runtime.settings)
    return ""


def _daemon(runtime: Runtime) -> str:
    ages = heartbeat_ages(dagster_conninfo(runtime.settings.dagster_dsn, runtime.database))
    silent = [part for part in PARTS if ages.get(part, LATE_SECONDS) >= LATE_SECONDS]
    return f"No sign of {', '.join(silent).lower()} for {LATE_SECONDS:.0f} seconds." if silent else ""


_EXAMINATIONS: Mapping[str, Callable[[Runtime], str]] = {
    "database": _database,
    "version": _version,
    "keys": _keys,
    "objects": _objects,
}

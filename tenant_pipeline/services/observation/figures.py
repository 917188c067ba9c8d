"""The figures of the whole installation, told by its records: so that a process that ended has lost none of them.

Runs of stages take place in processes that live for seconds. What they did is a row before they end, and it is from the
rows that the figures come, in whichever server process is asked.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files

import psycopg

from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.services.cost.budgets import THRESHOLDS
from tenant_pipeline.services.feature_flags.overrides import switched_off
from tenant_pipeline.services.observation.dagster_storage import (
    failures,
    heartbeat_ages,
    oldest_run_seconds,
    unfinished_runs,
)
from tenant_pipeline.services.observation.database_room import try_room
from tenant_pipeline.services.observation.object_store import try_objects
from tenant_pipeline.services.penetration_tests import UNDER_TEST
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import LINKS
from tenant_pipeline.storage.dagster_database import dagster_conninfo

FIGURES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "tenant_runtime_figures_read": ("Whether the database told its figures: 1 or 0.", ()),
    "tenant_runtime_tenants": ("Tenants by the state of their life.", ("status",)),
    "tenant_runtime_sources": ("Sources by how far they are and the tier of their tenant.", ("status", "tier")),
    "tenant_runtime_sources_stopped": ("Sources that are stopped, by the code of what stopped them.", ("code",)),
    "tenant_runtime_sources_set_back": (
        "Sources in line again because a run was ended or something was away, by the code of what it was.", ("code",),
    ),
    "tenant_runtime_tenants_with_waiting_sources": ("Tenants with a source in line.", ()),
    "tenant_runtime_oldest_waiting_source_seconds": ("For how long the first in line has waited.", ()),
    "tenant_runtime_tenant_waiting_sources": ("Sources in line, by tenant; off by default.", ("tenant",)),
    "tenant_runtime_tenant_oldest_waiting_source_seconds": (
        "For how long a tenant's first in line has waited; off by default.", ("tenant",),
    ),
    "tenant_runtime_gates_closed": ("Gates that keep a source from going on.", ("gate",)),
    "tenant_runtime_approvals_waiting": ("Requests for approval that wait for somebody.", ("gate",)),
    "tenant_runtime_approvals_overdue": ("Of those, the ones that have waited longer than their SLA.", ("gate",)),
    "tenant_runtime_feeds": ("Feeds by how they are; one may count twice.", ("state",)),
    "tenant_runtime_feeds_answered_last_hour": ("Feeds whose server answered well within the hour.", ()),
    "tenant_runtime_feed_most_overdue_seconds": ("For how long the feed that is most overdue has been due.", ()),
    "tenant_runtime_stage_runs_last_hour": ("Stages that ended within the hour.", ("stage",)),
    "tenant_runtime_stage_busy_seconds_last_hour": ("Seconds that they took together.", ("stage",)),
    "tenant_runtime_stage_seconds_last_hour": ("Seconds that one took, by quantile.", ("stage", "quantile")),
    "tenant_runtime_stage_rows_last_hour": ("Rows in, out, rejected and quarantined.", ("stage", "rows")),
    "tenant_runtime_uploads_unfinished": ("Uploads that are on their way or not handed in yet.", ()),
    "tenant_runtime_upload_unfinished_bytes": ("Bytes that they will have when they are whole.", ()),
    "tenant_runtime_provisioning_unfinished": ("Provisioning that is under way, or was left in the middle.", ()),
    "tenant_runtime_budgets_exceeded": (
        "Tenants that this month have come to a share of their budget (1 is all of it).", ("threshold",),
    ),
    "tenant_runtime_database_has_room": (
        "Whether the database's server could write to its disk when it was last tried: 1 or 0.", (),
    ),
    "tenant_runtime_database_bytes": ("Size of the database.", ()),
    "tenant_runtime_database_connections": ("Connections to the server's databases, whoever's they are.", ()),
    "tenant_runtime_database_connections_limit": ("The most that it takes.", ()),
    "tenant_runtime_audit_checkpoint_age_seconds": ("Since when no audit log was sealed; absent before the first.", ()),
    "tenant_runtime_clock_ahead_seconds": (
        "By how much this machine's clock is ahead of the database's; negative where it is behind.", (),
    ),
    "tenant_runtime_object_store_answers": ("Whether objects could be kept when it was last tried: 1 or 0.", ()),
    "tenant_runtime_disk_free_bytes": ("Free space where the installation keeps its files.", ()),
    "tenant_runtime_daemon_heartbeat_age_seconds": ("Since when a part of Dagster's daemon gave no sign.", ("part",)),
    "tenant_runtime_runs": ("Dagster runs that are queued, starting or started.", ("status",)),
    "tenant_runtime_oldest_run_seconds": ("For how long the run that was started first has run; 0 without any.", ()),
    "tenant_runtime_runs_failed_last_hour": (
        "Dagster runs that failed within the hour: by their sources, by an outage around us, or by a fault.",
        ("job", "by"),
    ),
    "tenant_runtime_ticks_failed_last_hour": (
        "Ticks of sensors and schedules that failed within the hour.", ("sensor",),
    ),
}  # fmt: skip
"""Each figure's name, what it says, and its labels. None has a label that grows with the installation, but for those
of a tenant, which are off by default."""

CLOCKS_APART_SECONDS = 5.0
"""From then on it is said in the log."""

KEPT_SECONDS = 10.0
"""However often it is asked, the database is asked no more often than this."""

_log = logging.getLogger(__name__)
_SQL = files("tenant_pipeline.services.observation").joinpath("figures.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Figure:
    """One value of a figure."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


class Figures:
    """The figures of a runtime, kept for a few seconds."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._kept: list[Figure] = []
        self._read_at = -KEPT_SECONDS

    def read(self) -> list[Figure]:
        """Every figure that can be told now. Never raises for a database that does not answer: that is a figure too."""
        if time.monotonic() - self._read_at >= KEPT_SECONDS:
            self._kept = read_figures(self._runtime)
            self._read_at = time.monotonic()
        return self._kept


def read_figures(runtime: Runtime) -> list[Figure]:
    """Every figure that can be told now."""
    found = []
    try:
        with runtime.database.platform() as connection:
            connection.execute("SET LOCAL statement_timeout = '5s'")
            asked = {
                "by_tenant": runtime.settings.metrics_by_tenant,
                "without_links": switched_off(connection, LINKS, runtime.now()),
                "thresholds": list(THRESHOLDS),
                "under_test": list(UNDER_TEST),
            }
            rows = connection.execute(_SQL, asked).fetchall()
            at = connection.execute("SELECT clock_timestamp() AS at").fetchone()
        found += [Figure(row["name"], float(row["value"]), row["labels"]) for row in rows]
        found.append(Figure("tenant_runtime_figures_read", 1))
        found += [_clock(runtime, at["at"])] if at else []
    except (psycopg.Error, TenantRuntimeError) as error:
        _log.error("the database does not tell its figures (%s)", type(error).__name__)
        found.append(Figure("tenant_runtime_figures_read", 0))
    else:
        found.append(Figure("tenant_runtime_database_has_room", _database_has_room(runtime)))
    with suppress(psycopg.Error):
        found += _of_dagster(runtime)
    answers = _object_store_answers(runtime)
    found.append(Figure("tenant_runtime_object_store_answers", answers))
    if answers:  # one that does not would be waited for
        with suppress(OSError, TenantRuntimeError):
            found += _of_audit(runtime)
    with suppress(OSError):
        found.append(Figure("tenant_runtime_disk_free_bytes", shutil.disk_usage(runtime.settings.home).free))
    return found


def _clock(runtime: Runtime, of_database: datetime) -> Figure:
    ahead = (runtime.now() - of_database).total_seconds()
    if abs(ahead) > CLOCKS_APART_SECONDS:
        _log.error("this machine's clock and the database's are %.0f seconds apart", abs(ahead))
    return Figure("tenant_runtime_clock_ahead_seconds", ahead)


def _database_has_room(runtime: Runtime) -> int:
    try:
        with runtime.database.platform() as connection:
            try_room(connection)
    except psycopg.Error as error:
        _log.error("the database cannot write to its disk (%s)", type(error).__name__)
        return 0
    return 1


def _of_audit(runtime: Runtime) -> list[Figure]:
    sealed = runtime.audit.sealed_at()
    if sealed is None:
        return []
    age = (runtime.now() - sealed).total_seconds()
    return [Figure("tenant_runtime_audit_checkpoint_age_seconds", max(0.0, age))]


def _object_store_answers(runtime: Runtime) -> int:
    try:
        try_objects(runtime.settings)
    except (TenantRuntimeError, OSError):
        return 0
    return 1


def _of_dagster(runtime: Runtime) -> list[Figure]:
    conninfo = dagster_conninfo(runtime.settings.dagster_dsn, runtime.database)
    ages = heartbeat_ages(conninfo)
    counted = unfinished_runs(conninfo)
    oldest = oldest_run_seconds(conninfo)
    failed_runs, failed_ticks = failures(conninfo)
    return [
        Figure("tenant_runtime_oldest_run_seconds", oldest),
        *(
            Figure("tenant_runtime_runs_failed_last_hour", number, {"job": job, "by": by})
            for (job, by), number in failed_runs.items()
        ),
        *(
            Figure("tenant_runtime_ticks_failed_last_hour", number, {"sensor": sensor})
            for sensor, number in failed_ticks.items()
        ),
        *(Figure("tenant_runtime_daemon_heartbeat_age_seconds", age, {"part": part}) for part, age in ages.items()),
        *(
            Figure("tenant_runtime_runs", counted.get(status, 0), {"status": status.lower()})
            for status in ("QUEUED", "STARTING", "STARTED")
        ),
    ]

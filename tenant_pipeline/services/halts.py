"""A source that does not go on: stopped through what is its own, or in line again where something else was to blame.

Either way the source keeps why (`hindrance`), with the place and the remedy, and so does its tenant's audit log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from tenant_pipeline.core.errors import (
    DecidedMeanwhileError,
    NotFoundError,
    OutageError,
    ProcessLostError,
    StageFaultError,
    TenantRuntimeError,
)
from tenant_pipeline.core.setback import Ending, Standing, set_back
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.services.faults import in_our_words
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import WITHDRAWN, get_source
from tenant_pipeline.services.unjudged import is_through, is_unjudged
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

_log = logging.getLogger(__name__)


@contextmanager
def halting(
    runtime: Runtime,
    tenant: TenantId,
    source: SourceId,
    stage: str,
    *,
    run_id: str = "",
    but: tuple[type[Exception], ...] = (),
) -> Iterator[None]:
    """Whatever ends the block halts the source at `stage`, and is raised as a typed error; what is in `but` is raised
    as it is."""
    try:
        yield
    except but:
        raise
    except Exception as error:
        told = halt(runtime, tenant, source, stage, error, run_id=run_id)
        if told is error:
            raise
        raise told from error


def halt(
    runtime: Runtime, tenant: TenantId, source: SourceId, stage: str, error: Exception, *, run_id: str = ""
) -> TenantRuntimeError:
    """Keep that `error` ended a source's work at `stage`, and return it in our words.

    Where something around us is away, the source is in line again; it stays as it was where that is the database. It is
    in line, too, where what holds for it has changed meanwhile. By any other error it is stopped; but one that was
    withdrawn stays so. Audited.
    """
    told = in_our_words(error, where=f"{partition_key(tenant, source)} {stage}", run_id=run_id)
    fields = {"tenant": tenant, "source": source, "stage": stage, "run_id": run_id, "code": told.code}
    if isinstance(told, StageFaultError | OutageError):
        _log.error("a stage was ended by a fault", exc_info=error, extra={"fields": fields})
    else:
        _log.warning("a source does not go on", extra={"fields": fields})
    try:
        if isinstance(told, OutageError):
            put_back(runtime, tenant, source, Ending.OUTAGE, told, run_id=run_id)
        elif isinstance(told, DecidedMeanwhileError):
            _begin_anew(runtime, tenant, source, stage, told, run_id)
        else:
            _stop(runtime, tenant, source, stage, told, run_id)
    except NotFoundError:  # there is no such source, and nothing to keep
        return told
    except psycopg.Error as away:
        if not isinstance(told, OutageError):
            return in_our_words(away, where=f"{partition_key(tenant, source)} {stage}", run_id=run_id)
    return told


def _stop(
    runtime: Runtime, tenant: TenantId, source: SourceId, stage: str, error: TenantRuntimeError, run_id: str
) -> None:
    hindrance = _hindrance(error, stage, run_id)
    with runtime.database.tenant(tenant) as connection:
        before = get_source(connection, tenant, source)
        if before.is_withdrawn:
            return
        _keep(connection, tenant, source, "stopped", Standing(alone=before.alone), None, hindrance, stage=stage)
        if (before.ingest_stage, before.ingest_status) != (stage, "stopped"):
            runtime.audit.append(connection, tenant, [_stopped(source, hindrance)])


def _begin_anew(
    runtime: Runtime, tenant: TenantId, source: SourceId, stage: str, error: TenantRuntimeError, run_id: str
) -> None:
    """Put a source in line that is not there yet: whoever decided may have done it."""
    hindrance = _hindrance(error, stage, run_id)
    with runtime.database.tenant(tenant) as connection:
        before = get_source(connection, tenant, source)
        if before.ingest_status not in ("waiting", WITHDRAWN):
            _keep(connection, tenant, source, "waiting", Standing(alone=before.alone), 0.0, hindrance)
            details = {**_audited(hindrance), "unit_digest": before.unit_digest, "then": "waiting", "wait_seconds": 0.0}
            entry = AuditEntry(actor="pipeline", action="stage.interrupted", subject=source, details=details)
            runtime.audit.append(connection, tenant, [entry])


def put_back(
    runtime: Runtime,
    tenant: TenantId,
    source: SourceId,
    ending: Ending,
    error: TenantRuntimeError,
    *,
    run_id: str,
    asked_at: datetime | None = None,
) -> str | None:
    """Put a source in line again whose run ended before it was through, or stop it: see `core.setback`.

    Returns what became of it: `waiting`, `stopped`, or None for one that the run did not leave on its way (an assembled
    one has yet to be judged), or that has been put in line since the run was asked for, at `asked_at`. Audited.
    """
    with runtime.database.tenant(tenant) as connection:
        left = connection.execute(
            """
            SELECT ingest_stage, ingest_status, unit_digest, alone, outages, losses FROM runtime.tenant_sources
             WHERE tenant_id = %(tenant)s AND id = %(source)s
               AND (ingest_status IN ('running', 'assembled')
                    OR ingest_status IN ('received', 'waiting')
                       AND (%(asked_at)s::timestamptz IS NULL OR queued_at < %(asked_at)s))
               FOR UPDATE
            """,
            {"tenant": tenant, "source": source, "asked_at": asked_at},
        ).fetchone()
        if left is None or (left["ingest_status"] == "assembled" and not is_unjudged(connection, tenant, source)):
            return None
        becomes = set_back(ending, Standing(left["alone"], left["outages"], left["losses"]))
        status = "stopped" if becomes.stopped else "waiting"
        hindrance = _hindrance(error, left["ingest_stage"], run_id)
        wait = becomes.wait.total_seconds()
        _keep(connection, tenant, source, status, becomes.standing, wait, hindrance)
        details = {**_audited(hindrance), "unit_digest": left["unit_digest"], "then": status, "wait_seconds": wait}
        entries = [AuditEntry(actor="pipeline", action="stage.interrupted", subject=source, details=details)]
        if becomes.stopped:
            entries.append(_stopped(source, hindrance))
        runtime.audit.append(connection, tenant, entries)
    fields = {"tenant": tenant, "source": source, "run_id": run_id, "code": error.code, "then": status}
    _log.warning("a source was set back", extra={"fields": fields})
    return status


def continue_later(runtime: Runtime, tenant: TenantId, source: SourceId) -> None:
    """Put a source in line again whose run went no further, through no fault of its own.

    One that is assembled goes on where something of it has yet to be made or judged by the contracts and the code of
    now, and is left alone else.
    """
    with runtime.database.tenant(tenant) as connection:
        goes_on = not is_through(connection, runtime, tenant, source)
        connection.execute(
            """
            UPDATE runtime.tenant_sources SET ingest_status = 'waiting', queued_at = clock_timestamp()
             WHERE tenant_id = %s AND id = %s AND (ingest_status = 'running' OR ingest_status = 'assembled' AND %s)
            """,
            (tenant, source, goes_on),
        )


def lost(key: str, run_id: str, *, alone: bool) -> ProcessLostError:
    """That the process which had a source in hand is gone, and nobody knows by whose fault."""
    return ProcessLostError(
        "The run that had it in hand was ended from outside: killed, for want of memory, or without any progress",
        where=f"{key}, Dagster run {run_id}",
        remedy=(
            "Give the machine more memory or hand the source in in parts; then `tenant-pipeline run`."
            if alone
            else "It is run by itself next, so that the source which does it is found."
        ),
    )


def _hindrance(error: TenantRuntimeError, stage: str, run_id: str) -> dict[str, Any]:
    return {
        "code": error.code, "what": error.what, "where": error.where, "remedy": error.remedy, "stage": stage,
        "run": run_id,
    }  # fmt: skip


def _stopped(source: SourceId, hindrance: dict[str, Any]) -> AuditEntry:
    subject = f"{source}:{hindrance['stage']}"
    return AuditEntry(actor="pipeline", action="stage.stopped", subject=subject, details=_audited(hindrance))


def _audited(hindrance: Mapping[str, Any]) -> dict[str, Any]:
    """Without the place, which may be the name of a file: nothing is ever erased from the audit log."""
    return {name: value for name, value in hindrance.items() if name != "where"}


def _keep(
    connection: Connection,
    tenant: TenantId,
    source: SourceId,
    status: str,
    standing: Standing,
    wait_seconds: float | None,
    hindrance: dict[str, Any],
    *,
    stage: str | None = None,
) -> None:
    """Keep how a source stands; with `wait_seconds` it takes a new place in line, from then on."""
    connection.execute(
        """
        UPDATE runtime.tenant_sources
           SET ingest_status = %(status)s, ingest_stage = coalesce(%(stage)s, ingest_stage), hindrance = %(hindrance)s,
               alone = %(alone)s, outages = %(outages)s, losses = %(losses)s,
               queued_at = CASE WHEN %(wait)s::float8 IS NULL THEN queued_at ELSE clock_timestamp() END,
               not_before = CASE WHEN %(wait)s::float8 > 0 THEN clock_timestamp() + make_interval(secs => %(wait)s) END
         WHERE tenant_id = %(tenant)s AND id = %(source)s AND ingest_status <> 'withdrawn'
        """,
        {
            "tenant": tenant, "source": source, "status": status, "stage": stage, "hindrance": Jsonb(hindrance),
            "alone": standing.alone, "outages": standing.outages, "losses": standing.losses, "wait": wait_seconds,
        },
    )  # fmt: skip

"""Erase all that a tenant has: its keys, its files, what is served, the words in its rows, and what Dagster keeps of
it; then look again.

Each step can be done twice and is noted when it is done, so that a run that was killed is simply run again. The keys go
first: from then on no raw file can be read and nothing can be taken in. What is append-only stays (decisions, digests,
pseudonyms whose key is gone); should it hold more than that, the proof says so.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from tenant_pipeline.core.compliance.control import Outcome
from tenant_pipeline.core.errors import InputError, NotAllowedError
from tenant_pipeline.core.lifecycle import TenantState
from tenant_pipeline.core.persons import is_same_person
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.provisioning.local_process.backend import FAILED
from tenant_pipeline.services.compliance.personal_data_scan import raw_personal_data
from tenant_pipeline.services.erasure.dagster_history import forget_history, history_left
from tenant_pipeline.services.erasure.requests import (
    PROOF,
    ErasureRequest,
    note_request,
    request_of,
    requests_of,
)
from tenant_pipeline.services.marketplace.listing import withdraw_outdated
from tenant_pipeline.services.marts.erasing import forget_tenant, rows_of
from tenant_pipeline.services.provisioning.operations import latest_operation
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.retention.holds import keep_unheld
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage import serving
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import login_of
from tenant_pipeline.storage.keys import KeysDestroyedError

ERASING_ROLES = PLATFORM_ROLES
TOMBSTONE = "⟦ERASED⟧"
RESTORE, ERASED_SINCE = "restore", "The tenant was erased after the backup was taken"
"""Who erases again what a backup brought back, and why."""

_TEXT, _UNIQUE, _NULL = "'" + TOMBSTONE + "'", "'erased-' || gen_random_uuid()", "NULL"
_ROWS: Mapping[str, Mapping[str, str]] = {
    "statements": {"value": _TEXT, "raw_value": _TEXT, "locator": _TEXT},
    "entity_keys": {"value": _UNIQUE},
    "entity_blocking_keys": {"key": "hashtextextended(gen_random_uuid()::text, 0)"},
    "entity_features": {"features": "'{}'"},
    "entity_members": {"explanation": "'{}'", "features_digest": "''"},
    "judgements": {"explanation": "'{}'"},
    "conflicts": {"candidates": "'[]'", "proposed_value": _NULL, "explanation": "'[]'"},
    "coverage_counts": {"version": "''", "answer": "'{}'"},
    "fetched_links": {"url": _UNIQUE, "etag": "''", "last_modified": "''", "answered_by": "''"},
    "objects": {"display_path": _TEXT},
    "tenant_sources": {
        "title": _TEXT,
        "filename": "''",
        "url": "''",
        "rights": "''",
        "ingest_status": "'stopped'",
        "hindrance": _NULL,
        "withdrawal": _NULL,
    },
    "feeds": {"title": _TEXT, "url": _UNIQUE, "rights": "''", "error": "''", "status": "'ended'"},
    "idempotent_requests": {"body": _NULL},
    "uploads": {"path": _TEXT, "ended_at": "now()"},
    "workspace_updates": {"update": "'\\x0000'"},
    "workspace_presence": {"state": _NULL},
    "tenant_workspaces": {"panel_state": "'{}'", "crdt_doc": _NULL},
}
"""What a source's words stand in, of the rows that can change, and what stands there afterwards."""


def erase_tenant(runtime: Runtime, tenant: TenantId, request: uuid.UUID, *, person: str, role: str) -> ErasureRequest:
    """Do what a request asks for, from where it was left; return it with its proof. Audited step by step.

    Raises HeldError while a legal hold stands, NotAllowedError without the role or for the one who asked, InputError
    for a tenant that is live or has an instance, NotFoundError for no such request. Run again when all is done, it
    changes nothing.
    """
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, ERASING_ROLES)
        asked = request_of(connection, tenant, request)
        instance = latest_operation(connection, tenant)
    if is_same_person(person, asked.requested_by):
        raise NotAllowedError(
            "Who asked for an erasure may not do it", where="--person", remedy="Somebody else has to."
        )
    if show_tenant(runtime, tenant)["status"] == TenantState.LIVE:
        raise InputError(
            "The tenant is live", where=tenant, remedy="Suspend it first: `tenant-pipeline tenant suspend`."
        )
    if instance is not None and not instance.left_nothing:
        raise InputError(
            "The tenant has an instance", where=tenant, remedy="Run `tenant-pipeline instance deprovision` first."
        )
    for name, step in STEPS.items():
        if name not in asked.steps:
            with runtime.database.platform() as connection:
                connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                keep_unheld(connection, tenant)
                _record(runtime, tenant, request, name, person, step(runtime, tenant, person))
    with runtime.database.platform() as connection:
        return request_of(connection, tenant, request)


def erase_again(runtime: Runtime, tenant: TenantId) -> None:
    """Erase what a backup from before the tenant's erasure brought back, and put that on record with its proof.

    Without the record every reader would take the tenant for one that is there. A request that the backup brought, or
    that a restore left which was killed, is gone on with. Doing it twice is harmless.
    """
    asked = _request_to_go_on_with(runtime, tenant)
    for name, step in STEPS.items():
        if name != PROOF or PROOF not in asked.steps:
            _record(runtime, tenant, asked.id, name, RESTORE, step(runtime, tenant, RESTORE))


def _request_to_go_on_with(runtime: Runtime, tenant: TenantId) -> ErasureRequest:
    """The request that was done already, else the first that was not; else one that the restore makes."""
    with runtime.database.platform() as connection:
        there = requests_of(connection, tenant)
        begun = next((each for each in there if PROOF in each.steps), there[0] if there else None)
        if begun is not None:
            return begun
        made = note_request(runtime, connection, tenant, person=RESTORE, role=ERASING_ROLES[0], reason=ERASED_SINCE)
        return request_of(connection, tenant, made)


def _record(
    runtime: Runtime, tenant: TenantId, request: uuid.UUID, step: str, person: str, detail: Mapping[str, Any]
) -> None:
    with runtime.database.platform() as connection:
        noted = connection.execute(
            """
            INSERT INTO runtime.erasure_steps (tenant_id, request_id, step, person, detail) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT DO NOTHING
            """,
            (tenant, request, step, person, Jsonb(dict(detail))),
        ).rowcount
        if noted:
            entry = AuditEntry(actor=person, action=f"erasure.{step}", subject=str(request), details=detail)
            runtime.audit.append(connection, tenant, [entry])


def _destroy_keys(runtime: Runtime, tenant: TenantId, person: str) -> Mapping[str, Any]:
    runtime.keys.destroy(tenant)
    return {}


def _delete_files(runtime: Runtime, tenant: TenantId, person: str) -> Mapping[str, Any]:
    deleted = runtime.objects.delete(tenant_id(tenant))
    pages = runtime.settings.home / "explanations" / tenant
    if pages.exists():
        deleted += _files_below(pages)
        shutil.rmtree(pages)
    log = runtime.settings.instances_directory / FAILED / show_tenant(runtime, tenant)["k8s_namespace"]
    if log.exists():
        deleted += 1
        log.unlink()
    return {"files": deleted}


def _drop_what_is_served(runtime: Runtime, tenant: TenantId, person: str) -> Mapping[str, Any]:
    with runtime.database.platform() as connection:
        listed = withdraw_outdated(runtime, connection, tenant, None, person=person, reason="The tenant is erased")
    with runtime.database.administration() as connection:
        served = serving.is_there(connection, login_of(tenant))
        if served:
            serving.drop_serving_tables(connection, login_of(tenant))
    return {"serving_tables": served, "listing_withdrawn": listed}


def _bury_rows(runtime: Runtime, tenant: TenantId, person: str) -> Mapping[str, Any]:
    """Put a tombstone in the place of what the sources said. As the tenant's own login: it reaches no other's rows."""
    buried = {}
    with runtime.database.tenant(tenant) as connection:
        for table, columns in _ROWS.items():
            assignments = sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(column), sql.SQL(value)) for column, value in columns.items()
            )
            buried[table] = connection.execute(
                sql.SQL("UPDATE runtime.{} SET {} WHERE tenant_id = %s").format(sql.Identifier(table), assignments),
                (tenant,),
            ).rowcount
    return {"rows": buried}


def _leave_the_marts(runtime: Runtime, tenant: TenantId, person: str) -> Mapping[str, Any]:
    return {"rows": forget_tenant(runtime, tenant)}


def _forget_history(runtime: Runtime, tenant: TenantId, person: str) -> Mapping[str, Any]:
    return {"deleted": forget_history(runtime, tenant)}


def _prove(runtime: Runtime, tenant: TenantId, person: str) -> Mapping[str, Any]:
    """Look again at every store; `clean` is whether nothing is left that the steps should have taken."""
    try:
        runtime.keys.digest_keys(tenant)
        keys_gone = False
    except KeysDestroyedError:
        keys_gone = True
    in_the_making = _files_below(runtime.objects.staging / tenant_id(tenant))
    files = sum(1 for _ in runtime.objects.listed(tenant_id(tenant))) + in_the_making
    with runtime.database.administration() as connection:
        served = serving.is_there(connection, login_of(tenant))
    with runtime.database.tenant(tenant) as connection:
        row = connection.execute(
            """
            SELECT count(*) AS left FROM runtime.statements
             WHERE tenant_id = %s AND (value <> %s OR raw_value <> %s OR locator <> %s)
            """,
            (tenant, TOMBSTONE, TOMBSTONE, TOMBSTONE),
        ).fetchone()
    left = int(row["left"]) if row else 0
    in_marts = rows_of(runtime, tenant)
    in_dagster = history_left(runtime, tenant)
    scan = raw_personal_data(runtime, tenant)
    found = [*scan.evidence["found"], *({"signed_for": kind} for kind in scan.evidence["signed_for"])]
    return {
        "clean": keys_gone
        and not files
        and not served
        and not left
        and not in_marts
        and not in_dagster
        and not found
        and scan.outcome is Outcome.MET,
        "keys_destroyed": keys_gone,
        "files": files,
        "served": served,
        "statements_left": left,
        "rows_in_marts": in_marts,
        "kept_by_dagster": in_dagster,
        "texts_read": scan.evidence["texts"],
        "found": found,
    }


def _files_below(folder: Path) -> int:
    """How many files there are; a folder that others take away meanwhile is there or not."""
    return sum(len(files) for _, _, files in os.walk(folder))


STEPS: Mapping[str, Callable[[Runtime, TenantId, str], Mapping[str, Any]]] = {
    "keys": _destroy_keys,
    "files": _delete_files,
    "served": _drop_what_is_served,
    "rows": _bury_rows,
    "marts": _leave_the_marts,
    "history": _forget_history,
    PROOF: _prove,
}
"""In this order; each can be done twice."""

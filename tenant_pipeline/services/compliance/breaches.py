"""Breaches of personal data, and the 72 hours in which the office has to be told (PDPA section 37 (4))."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.compliance.processing_records import DECLARING_ROLES
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry

TIME_TO_NOTIFY = timedelta(hours=72)


@dataclass(frozen=True)
class Breach:
    """One breach: when it became known, and when the office was told, if it was."""

    id: str
    known_at: datetime
    summary: str
    opened_by: str
    notified_at: datetime | None
    notified_by: str | None

    @property
    def due_at(self) -> datetime:
        return self.known_at + TIME_TO_NOTIFY

    def is_late(self, now: datetime) -> bool:
        """Whether the office was told too late, or has still not been although the time is over."""
        return (self.notified_at or now) > self.due_at

    def as_json(self, now: datetime) -> dict[str, Any]:
        """The breach as the command line and the API give it."""
        return {
            "breach": self.id,
            "known_at": self.known_at.isoformat(),
            "due_at": self.due_at.isoformat(),
            "notified_at": self.notified_at.isoformat() if self.notified_at else None,
            "hours_left": None if self.notified_at else round((self.due_at - now).total_seconds() / 3600, 1),
            "late": self.is_late(now),
            "summary": self.summary,
            "opened_by": self.opened_by,
            "notified_by": self.notified_by,
        }


def open_breach(
    runtime: Runtime, tenant: TenantId, *, known_at: datetime, summary: str, person: str, role: str
) -> Breach:
    """Put a breach on record: its clock runs from when it became known. Audited.

    Raises InputError for no summary or a time to come, NotAllowedError without the role. A summary names no person.
    """
    if known_at.tzinfo is None or known_at > runtime.now():
        raise InputError("A breach became known at a time that has passed", where="--known-at")
    if not summary.strip():
        raise InputError("A breach needs a summary", where="--summary", remedy="What happened; no personal data.")
    identifier = f"brc-{uuid.uuid4().hex[:12]}"
    _step(runtime, tenant, identifier, "opened", known_at, summary, person, role)
    return _one(runtime, tenant, identifier)


def note_notification(
    runtime: Runtime, tenant: TenantId, breach: str, *, summary: str, person: str, role: str
) -> Breach:
    """Put on record that the office has been told, now. Audited. Raises NotFoundError, InputError if it was before."""
    known = _one(runtime, tenant, breach)
    if known.notified_at is not None:
        raise InputError("The office has been told of this breach already", where=breach)
    _step(runtime, tenant, breach, "notified", runtime.now(), summary, person, role)
    return _one(runtime, tenant, breach)


def list_breaches(runtime: Runtime, tenant: TenantId) -> list[Breach]:
    """Every breach, the next due first."""
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            """
            SELECT opened.breach_id, opened.happened_at AS known_at, opened.summary, opened.person AS opened_by,
                   told.happened_at AS notified_at, told.person AS notified_by
              FROM runtime.breach_steps AS opened
              LEFT JOIN runtime.breach_steps AS told
                ON told.tenant_id = opened.tenant_id AND told.breach_id = opened.breach_id AND told.step = 'notified'
             WHERE opened.tenant_id = %s AND opened.step = 'opened'
             ORDER BY opened.happened_at
            """,
            (tenant,),
        ).fetchall()
    return [
        Breach(
            row["breach_id"], row["known_at"], row["summary"], row["opened_by"], row["notified_at"], row["notified_by"]
        )
        for row in rows
    ]


def _one(runtime: Runtime, tenant: TenantId, breach: str) -> Breach:
    for each in list_breaches(runtime, tenant):
        if each.id == breach:
            return each
    raise NotFoundError("There is no such breach in this tenant", where=f"{tenant}, breach")


def _step(
    runtime: Runtime,
    tenant: TenantId,
    breach: str,
    step: str,
    happened_at: datetime,
    summary: str,
    person: str,
    role: str,
) -> None:
    show_tenant(runtime, tenant)
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, DECLARING_ROLES)
        connection.execute(
            """
            INSERT INTO runtime.breach_steps (tenant_id, breach_id, step, happened_at, summary, person, role)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            """,
            (tenant, breach, step, happened_at, summary, person, role),
        )
        details = {"happened_at": happened_at.isoformat(), "role": role}
        entry = AuditEntry(actor=person, action=f"breach.{step}", subject=breach, details=details)
        runtime.audit.append(connection, tenant, [entry])

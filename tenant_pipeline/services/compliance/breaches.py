"""Breaches of personal data and the clock that runs from when somebody became aware of one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenant_pipeline.core.compliance.deadlines import BREACH_NOTIFICATION, Deadline
from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.compliance.processing_records import DECLARING_ROLES
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection


@dataclass(frozen=True)
class Breach:
    """A breach as it stands. Closed without a notification, `closing_reason` says why none was owed."""

    id: uuid.UUID
    aware_at: datetime
    summary: str
    opened_by: str
    notified_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    closing_reason: str | None

    @property
    def clock(self) -> Deadline:
        """Seventy-two hours; stopped by the notification, else by the finding that none is owed."""
        return Deadline(self.aware_at, BREACH_NOTIFICATION, self.notified_at or self.closed_at)

    def as_json(self, now: datetime) -> dict[str, Any]:
        """The breach as the command line gives it; `hours_left` is negative when overdue."""
        return {
            "id": str(self.id),
            "aware_at": self.aware_at.isoformat(),
            "due": self.clock.due.isoformat(),
            "hours_left": round(self.clock.remaining(now).total_seconds() / 3600, 1),
            "overdue": self.clock.overdue(now),
            "state": "closed" if self.closed_at else "open",
            "notified_at": self.notified_at.isoformat() if self.notified_at else None,
            "summary": self.summary,
            "opened_by": self.opened_by,
            "closed_by": self.closed_by,
            "closing_reason": self.closing_reason,
        }


def open_breach(
    runtime: Runtime, tenant: TenantId, *, aware_at: datetime, summary: str, person: str, role: str
) -> uuid.UUID:
    """Start the clock of a breach at the time when somebody became aware of it; return its id. Audited.

    Raises InputError for no summary or a time to come, NotAllowedError without the role, NotFoundError for no tenant.
    """
    if not summary.strip():
        raise InputError("A breach is told in a sentence", where="--summary")
    if aware_at.tzinfo is None or aware_at > runtime.now():
        raise InputError("Nobody is aware of what is to come", where="--aware-at", remedy="Give a time in the past.")
    registry.show_tenant(runtime, tenant)
    identifier = uuid.uuid4()
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, DECLARING_ROLES)
        connection.execute(
            "INSERT INTO runtime.breaches (tenant_id, id, aware_at, summary, person, role)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (tenant, identifier, aware_at, summary, person, role),
        )
        details = {"aware_at": aware_at.isoformat(), "role": role}
        entry = AuditEntry(actor=person, action="breach.open", subject=str(identifier), details=details)
        runtime.audit.append(connection, tenant, [entry])
    return identifier


def close_breach(
    runtime: Runtime,
    tenant: TenantId,
    breach: uuid.UUID,
    *,
    notified_at: datetime | None,
    reason: str,
    person: str,
    role: str,
) -> None:
    """Close a breach with when the Office was notified, or with the reason why it need not be. Audited.

    Raises NotFoundError for no such breach, InputError for one that is closed, for no reason, or for a notification
    before anybody was aware or still to come, NotAllowedError without the role.
    """
    if not reason.strip():
        raise InputError("Closing a breach needs a reason", where="--reason")
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, DECLARING_ROLES)
        found = next((each for each in breaches_of(connection, tenant) if each.id == breach), None)
        if found is None:
            raise NotFoundError(
                "The tenant has no such breach", where=tenant, remedy="`tenant-pipeline compliance breach list`."
            )
        if notified_at is not None and not found.aware_at <= notified_at <= runtime.now():
            raise InputError("The notification lies between becoming aware and now", where="--notified-at")
        closed = connection.execute(
            """
            INSERT INTO runtime.breach_closings (tenant_id, breach_id, notified_at, reason, person, role)
            VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            (tenant, breach, notified_at, reason, person, role),
        ).rowcount
        if not closed:
            raise InputError("The breach is closed", where=tenant)
        details = {"notified_at": notified_at.isoformat() if notified_at else None, "role": role}
        entry = AuditEntry(actor=person, action="breach.close", subject=str(breach), details=details)
        runtime.audit.append(connection, tenant, [entry])


def list_breaches(runtime: Runtime, tenant: TenantId) -> list[Breach]:
    """Every breach of a tenant, by when somebody became aware of it. Raises NotFoundError for no such tenant."""
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        return breaches_of(connection, tenant)


def breaches_of(connection: Connection, tenant: TenantId) -> list[Breach]:
    """As `list_breaches`, in a transaction that is open."""
    rows = connection.execute(
        """
        SELECT breach.id, breach.aware_at, breach.summary, breach.person AS opened_by, closing.notified_at,
               closing.at AS closed_at, closing.person AS closed_by, closing.reason AS closing_reason
          FROM runtime.breaches AS breach
          LEFT JOIN runtime.breach_closings AS closing
            ON closing.tenant_id = breach.tenant_id AND closing.breach_id = breach.id
         WHERE breach.tenant_id = %s ORDER BY breach.aware_at, breach.id
        """,
        (tenant,),
    ).fetchall()
    return [Breach(**row) for row in rows]

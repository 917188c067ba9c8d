"""Legal holds: placed and lifted by governance for a reason; as long as one stands, nothing is pruned or erased."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenant_pipeline.core.errors import HeldError, InputError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

HOLDING_ROLES = ("platform-governance",)


@dataclass(frozen=True)
class Hold:
    """A legal hold on all that a tenant has; it stands until `lifted_at`."""

    id: uuid.UUID
    person: str
    reason: str
    placed_at: datetime
    lifted_by: str | None
    lifted_for: str | None
    lifted_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """The hold as the command line gives it."""
        return {
            "id": str(self.id),
            "stands": self.lifted_at is None,
            "person": self.person,
            "reason": self.reason,
            "placed_at": self.placed_at.isoformat(),
            "lifted_by": self.lifted_by,
            "lifted_for": self.lifted_for,
            "lifted_at": self.lifted_at.isoformat() if self.lifted_at else None,
        }


def place_hold(runtime: Runtime, tenant: TenantId, *, person: str, role: str, reason: str) -> uuid.UUID:
    """Keep all that a tenant has until the hold is lifted; return its id. Audited.

    Raises NotAllowedError without the role, InputError without a reason, NotFoundError for no such tenant.
    """
    if not reason.strip():
        raise InputError("A hold needs a reason", where="--reason")
    show_tenant(runtime, tenant)
    identifier = uuid.uuid4()
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, HOLDING_ROLES)
        _lock(connection, tenant)
        connection.execute(
            "INSERT INTO runtime.legal_holds (tenant_id, id, person, role, reason) VALUES (%s, %s, %s, %s, %s)",
            (tenant, identifier, person, role, reason),
        )
        details = {"role": role, "reason": reason}
        entry = AuditEntry(actor=person, action="retention.held", subject=str(identifier), details=details)
        runtime.audit.append(connection, tenant, [entry])
    return identifier


def lift_hold(runtime: Runtime, tenant: TenantId, hold: uuid.UUID, *, person: str, role: str, reason: str) -> None:
    """Let a hold end. Audited.

    Raises NotAllowedError without the role, InputError without a reason, NotFoundError for no hold that stands.
    """
    if not reason.strip():
        raise InputError("Lifting a hold needs a reason", where="--reason")
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, HOLDING_ROLES)
        _lock(connection, tenant)
        if hold not in [each.id for each in holds_of(connection, tenant) if each.lifted_at is None]:
            raise NotFoundError("No such hold stands", where=tenant, remedy="`tenant-pipeline retention holds`.")
        connection.execute(
            """
            INSERT INTO runtime.legal_hold_ends (tenant_id, hold_id, person, role, reason) VALUES (%s, %s, %s, %s, %s)
            """,
            (tenant, hold, person, role, reason),
        )
        details = {"role": role, "reason": reason}
        entry = AuditEntry(actor=person, action="retention.lifted", subject=str(hold), details=details)
        runtime.audit.append(connection, tenant, [entry])


def holds_of(connection: Connection, tenant: TenantId) -> list[Hold]:
    """Every hold that a tenant was ever under, in order."""
    rows = connection.execute(
        """
        SELECT hold.id, hold.person, hold.reason, hold.at AS placed_at, ended.person AS lifted_by,
               ended.reason AS lifted_for, ended.at AS lifted_at
          FROM runtime.legal_holds AS hold
          LEFT JOIN runtime.legal_hold_ends AS ended ON ended.tenant_id = hold.tenant_id AND ended.hold_id = hold.id
         WHERE hold.tenant_id = %s ORDER BY hold.at, hold.id
        """,
        (tenant,),
    ).fetchall()
    return [Hold(**row) for row in rows]


def keep_unheld(connection: Connection, tenant: TenantId) -> None:
    """Return when no hold stands, and let none be placed before the commit. Raises HeldError otherwise."""
    _lock(connection, tenant)
    require_no_hold(connection, tenant)


def require_no_hold(connection: Connection, tenant: TenantId) -> None:
    """Return when no hold stands. Raises HeldError otherwise."""
    standing = [each for each in holds_of(connection, tenant) if each.lifted_at is None]
    if standing:
        raise HeldError(
            f"A legal hold stands since {standing[0].placed_at.date()}",
            where=tenant,
            remedy="Governance lifts it: `tenant-pipeline retention lift`.",
        )


def _lock(connection: Connection, tenant: TenantId) -> None:
    """Wait until nobody places a hold or deletes under the same tenant, and keep others waiting to the commit."""
    connection.execute("SELECT app.lock('retention', %s)", (tenant,))

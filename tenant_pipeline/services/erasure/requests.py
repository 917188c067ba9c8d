"""Requests to erase all that a tenant has: who asked, how long is left, and which steps are done."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenant_pipeline.core.compliance.deadlines import ERASURE, Deadline
from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

ASKING_ROLES = ("tenant-admin", *PLATFORM_ROLES)
PROOF = "proof"
"""The last step: it holds what looking again has found."""


@dataclass(frozen=True)
class ErasureRequest:
    """A request with its steps that are done, in order: by name, what each did."""

    id: uuid.UUID
    requested_by: str
    requested_at: datetime
    reason: str
    steps: Mapping[str, Mapping[str, Any]]
    ended_at: datetime | None

    @property
    def clock(self) -> Deadline:
        """Thirty days from the request to its proof."""
        return Deadline(self.requested_at, ERASURE, self.ended_at)

    def state(self) -> str:
        """`waiting`, `begun`, `erased`, or `remains` where looking again found something."""
        if PROOF in self.steps:
            return "erased" if self.steps[PROOF]["clean"] else "remains"
        return "begun" if self.steps else "waiting"

    def as_json(self, now: datetime) -> dict[str, Any]:
        """The request as the command line gives it; `days_left` is negative when overdue."""
        return {
            "id": str(self.id),
            "state": self.state(),
            "requested_by": self.requested_by,
            "requested_at": self.requested_at.isoformat(),
            "due": self.clock.due.isoformat(),
            "days_left": round(self.clock.remaining(now).total_seconds() / 86400, 1),
            "overdue": self.clock.overdue(now),
            "reason": self.reason,
            "steps": {name: dict(detail) for name, detail in self.steps.items()},
        }


def request_erasure(runtime: Runtime, tenant: TenantId, *, person: str, role: str, reason: str) -> uuid.UUID:
    """Ask for all that a tenant has to be erased; return the request's id. Nothing is erased by it. Audited.

    Raises NotAllowedError without the role, InputError without a reason, NotFoundError for no such tenant.
    """
    if not reason.strip():
        raise InputError("Asking for erasure needs a reason", where="--reason")
    registry.show_tenant(runtime, tenant)
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, ASKING_ROLES)
        return note_request(runtime, connection, tenant, person=person, role=role, reason=reason)


def note_request(
    runtime: Runtime, connection: Connection, tenant: TenantId, *, person: str, role: str, reason: str
) -> uuid.UUID:
    """Put a request on record, whoever it is that asks; return its id. Audited."""
    identifier = uuid.uuid4()
    connection.execute(
        "INSERT INTO runtime.erasure_requests (tenant_id, id, person, role, reason) VALUES (%s, %s, %s, %s, %s)",
        (tenant, identifier, person, role, reason),
    )
    details = {"role": role, "reason": reason}
    entry = AuditEntry(actor=person, action="erasure.request", subject=str(identifier), details=details)
    runtime.audit.append(connection, tenant, [entry])
    return identifier


def list_requests(runtime: Runtime, tenant: TenantId) -> list[ErasureRequest]:
    """Every request of a tenant, in order. Raises NotFoundError for no such tenant."""
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        return requests_of(connection, tenant)


def requests_of(connection: Connection, tenant: TenantId) -> list[ErasureRequest]:
    """As `list_requests`, in a transaction that is open."""
    rows = connection.execute(
        """
        SELECT request.id, request.person AS requested_by, request.requested_at, request.reason,
               coalesce((SELECT jsonb_object_agg(step, detail) FROM runtime.erasure_steps
                          WHERE tenant_id = request.tenant_id AND request_id = request.id), '{}') AS steps,
               (SELECT at FROM runtime.erasure_steps
                 WHERE tenant_id = request.tenant_id AND request_id = request.id AND step = %s) AS ended_at
          FROM runtime.erasure_requests AS request
         WHERE request.tenant_id = %s ORDER BY request.requested_at, request.id
        """,
        (PROOF, tenant),
    ).fetchall()
    return [ErasureRequest(**row) for row in rows]


def request_of(connection: Connection, tenant: TenantId, identifier: uuid.UUID) -> ErasureRequest:
    """One request of a tenant. Raises NotFoundError when the tenant has none of that id."""
    found = next((each for each in requests_of(connection, tenant) if each.id == identifier), None)
    if found is None:
        raise NotFoundError(
            "The tenant has no such request", where=tenant, remedy="`tenant-pipeline erasure list` shows them."
        )
    return found

"""Reading across tenants: of those that the person governs, and noted with each of them before it is read."""

from __future__ import annotations

from tenant_pipeline.core.errors import NotAllowedError
from tenant_pipeline.core.persons import require_person_and_reason
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry

GOVERNING_ROLE = "platform-governance"


def note_reading(runtime: Runtime, *, person: str, reason: str, action: str, subject: str) -> list[TenantId]:
    """The tenants that the person governs, each told that it is read in a transaction that has ended by then.

    Raises InputError without a person or a reason, NotAllowedError where the person governs none.
    """
    require_person_and_reason(person, reason, "Reading across tenants needs a person and a reason")
    details = {"role": GOVERNING_ROLE, "reason": reason}
    entry = AuditEntry(actor=person, action=action, subject=subject, details=details)
    with runtime.database.platform() as connection:
        rows = connection.execute(
            "SELECT tenant_id FROM runtime.tenant_user_roles WHERE person = %s AND role = %s ORDER BY tenant_id",
            (person, GOVERNING_ROLE),
        ).fetchall()
        tenants = [TenantId(row["tenant_id"]) for row in rows]
        for tenant in tenants:
            runtime.audit.append(connection, tenant, [entry])
    if not tenants:
        raise NotAllowedError(
            f"The person has the role {GOVERNING_ROLE} in no tenant",
            where="--person",
            remedy="Have it granted: `tenant-pipeline role grant`.",
        )
    return tenants

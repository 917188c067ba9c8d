"""Coverage overrides: given by governance for a tenant and dimension, until a time; ended by time or by a word."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from tenant_pipeline.core.coverage.override import FLOORS, CoverageOverride
from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.persons import is_same_person, require_person_and_reason
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.gates import OVERRIDE_ROLES
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection, later_clock


def overrides_in_force(connection: Connection, tenant: TenantId, now: datetime) -> dict[str, CoverageOverride]:
    """The override of each dimension that holds: the last that was given, unless it has been withdrawn.

    It is over as soon as either our clock, which says `now`, or the database's is past it.
    """
    later = later_clock(connection, now)
    rows = connection.execute(
        """
        SELECT DISTINCT ON (dimension) dimension, act, floor, reason, approver, role, expires_at
          FROM runtime.coverage_overrides WHERE tenant_id = %s
         ORDER BY dimension, number DESC
        """,
        (tenant,),
    ).fetchall()
    return {
        row["dimension"]: CoverageOverride(
            row["dimension"], Band(row["floor"]), row["reason"], row["approver"], row["role"], row["expires_at"]
        )
        for row in rows
        if row["act"] == "give" and row["expires_at"] > later
    }


def give_override(
    runtime: Runtime,
    tenant: TenantId,
    dimension: str,
    *,
    floor: Band,
    reason: str,
    approver: str,
    role: str,
    requested_by: str,
    expires_at: datetime,
) -> CoverageOverride:
    """Let a dimension count as at least `floor` until a time, on a named person's word. Audited.

    Raises InputError for a dimension that is none or that nobody can answer for, a floor that is none, an empty reason
    or an expiry that has passed; NotAllowedError for a person without the role, for whoever asked for it, and where who
    asked is nobody in this tenant.
    """
    known = {each.id: each for each in runtime.contracts.coverage_dimensions}
    if dimension not in known:
        raise InputError("There is no such dimension", where="--dimension", remedy=f"One of {', '.join(known)}.")
    if not known[dimension].overridable:
        raise InputError(
            f"The contract lets nobody answer for {dimension}",
            where="enterprise_intake.json#/coverage_scoring",
            remedy="Mend the sources: `tenant-pipeline coverage explain` says which.",
        )
    if floor not in FLOORS:
        raise InputError("An override's floor is a band that opens", where="--floor", remedy="Give warn or pass.")
    require_person_and_reason(
        requested_by, reason, "An override needs a reason, and who asked for it", where="--reason, --requested-by"
    )
    if is_same_person(approver, requested_by):
        raise NotAllowedError(
            "Nobody approves what they asked for", where="--person", remedy="Have somebody else give it."
        )
    show_tenant(runtime, tenant)
    details = {
        "floor": str(floor), "reason": reason, "role": role, "requested_by": requested_by,
        "expires_at": expires_at.isoformat(),
    }  # fmt: skip
    with runtime.database.platform() as connection:
        if expires_at.tzinfo is None or expires_at <= later_clock(connection, runtime.now()):
            raise InputError(
                "The override would have expired already", where="--until", remedy="Give a time to come, with its zone."
            )
        require_role(connection, tenant, approver, role, OVERRIDE_ROLES)
        _require_somebody(connection, tenant, requested_by)
        _append(connection, tenant, dimension, "give", floor, reason, approver, role, requested_by, expires_at)
        entry = AuditEntry(actor=approver, action="coverage.override", subject=dimension, details=details)
        runtime.audit.append(connection, tenant, [entry])
    return CoverageOverride(dimension, floor, reason, approver, role, expires_at)


def withdraw_override(
    runtime: Runtime, tenant: TenantId, dimension: str, *, reason: str, person: str, role: str
) -> None:
    """End an override before its time. Audited.

    Raises NotFoundError where none is in force, InputError for no reason, NotAllowedError without the role.
    """
    if not reason.strip():
        raise InputError("Ending an override needs a reason", where="--reason")
    now = runtime.now()
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, OVERRIDE_ROLES)
        standing = overrides_in_force(connection, tenant, now).get(dimension)
        if standing is None:
            raise NotFoundError("No override of this dimension is in force", where=f"{tenant}, --dimension")
        _append(connection, tenant, dimension, "withdraw", standing.floor, reason, person, role, person, now)
        details = {"reason": reason, "role": role}
        entry = AuditEntry(actor=person, action="coverage.override-withdrawn", subject=dimension, details=details)
        runtime.audit.append(connection, tenant, [entry])


def _require_somebody(connection: Connection, tenant: TenantId, person: str) -> None:
    held = connection.execute(
        "SELECT FROM runtime.tenant_user_roles WHERE tenant_id = %s AND person = %s", (tenant, person)
    ).fetchone()
    if held is None:
        raise NotAllowedError(
            "Who is said to have asked has no role in this tenant",
            where=f"{tenant}, --requested-by",
            remedy="Name the person who asked, as `tenant-pipeline role list` has them.",
        )


def _append(connection: Connection, tenant: TenantId, dimension: str, act: str, floor: Band, *rest: Any) -> None:
    connection.execute(
        """
        INSERT INTO runtime.coverage_overrides
               (tenant_id, id, dimension, act, floor, reason, approver, role, requested_by, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (tenant, uuid.uuid4(), dimension, act, str(floor), *rest),
    )

"""How long what is superseded is kept, by tenant and class. What has no policy is kept for good."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

SETTING_ROLES = ("platform-governance",)
LEAST_DAYS, MOST_DAYS = 7, 36_500


class RetentionClass(StrEnum):
    """What a policy is about."""

    STAGE_OUTPUTS = "stage-outputs"
    """What stages made of a version, or by code, that another has taken the place of: it can be made again."""

    RAW_UNITS = "raw-units"
    """The files of versions that newer ones have taken the place of: once gone, they are gone."""


def set_policy(
    runtime: Runtime,
    tenant: TenantId,
    kept: RetentionClass,
    days: int | None,
    *,
    person: str,
    role: str,
    reason: str,
) -> None:
    """Keep what is superseded for so many days; None for good. Audited.

    Raises NotAllowedError without the role, InputError without a reason, for less than a week or more than a hundred
    years, NotFoundError.
    """
    if not reason.strip():
        raise InputError("A policy needs a reason", where="--reason")
    if days is not None and days < LEAST_DAYS:
        raise InputError("That is too short to notice a mistake", where="--days", remedy=f"At least {LEAST_DAYS}.")
    if days is not None and days > MOST_DAYS:
        raise InputError("That is longer than a hundred years", where="--days", remedy="Leave it out: kept for good.")
    show_tenant(runtime, tenant)
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, SETTING_ROLES)
        connection.execute(
            """
            INSERT INTO runtime.retention_policies (tenant_id, class, days, person, role, reason)
            VALUES (%s, %s, %s, %s, %s, %s)
            """,
            (tenant, str(kept), days, person, role, reason),
        )
        details = {"days": days, "role": role, "reason": reason}
        entry = AuditEntry(actor=person, action="retention.policy", subject=str(kept), details=details)
        runtime.audit.append(connection, tenant, [entry])


def policies_of(connection: Connection, tenant: TenantId) -> Mapping[RetentionClass, int]:
    """For how many days each class is kept that is not kept for good."""
    rows = connection.execute(
        """
        SELECT DISTINCT ON (class) class, days FROM runtime.retention_policies
         WHERE tenant_id = %s ORDER BY class, number DESC
        """,
        (tenant,),
    ).fetchall()
    return {RetentionClass(row["class"]): row["days"] for row in rows if row["days"] is not None}


def tenants_with_policies(runtime: Runtime) -> list[TenantId]:
    """Tenants that have a policy, and may therefore have something to prune."""
    with runtime.database.platform() as connection:
        rows = connection.execute("SELECT DISTINCT tenant_id FROM runtime.retention_policies ORDER BY 1").fetchall()
    return [TenantId(row["tenant_id"]) for row in rows]

"""Checking the audit log, and sealing it with checkpoints outside the database."""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.runtime import Runtime


def seal_audit(runtime: Runtime, tenant: TenantId) -> None:
    """Write a signed checkpoint over the tenant's audit log as it stands."""
    with runtime.database.tenant(tenant) as connection:
        runtime.audit.checkpoint(connection, tenant, runtime.now())


def verify_audit(runtime: Runtime, tenant: TenantId | None) -> list[dict[str, Any]]:
    """What checking the audit log of one tenant, or of all, has found: a row a tenant."""
    tenants = [tenant] if tenant else [TenantId(row["id"]) for row in registry.list_tenants(runtime)]
    rows = []
    for each in tenants:
        with runtime.database.tenant(each) as connection:
            report = runtime.audit.verify(connection, each)
        rows.append(
            {
                "tenant": each,
                "intact": report.intact,
                "entries": report.entries,
                "checkpoints": report.checkpoints,
                "problem": report.problem,
            }
        )
    return rows

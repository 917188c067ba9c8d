"""How tenants' instances stand, for people and programs."""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import Provisioner
from tenant_pipeline.services.provisioning.operations import latest_operation, operations
from tenant_pipeline.services.registry import list_tenants, show_tenant
from tenant_pipeline.services.runtime import Runtime


def instance_status(runtime: Runtime, tenant: TenantId, backend: Provisioner) -> dict[str, Any]:
    """How the tenant's instance stands now, and what was done to it, the newest first."""
    namespace = show_tenant(runtime, tenant)["k8s_namespace"]
    status = backend.status(tenant, namespace)
    with runtime.database.platform() as connection:
        done = operations(connection, tenant)
    return {
        "tenant": tenant,
        "namespace": namespace,
        "backend": backend.name,
        "phase": str(status.phase),
        "endpoint": status.endpoint,
        "detail": status.detail,
        "operations": [each.as_json() for each in done],
    }


def list_instances(runtime: Runtime, backend: Provisioner) -> list[dict[str, Any]]:
    """Every tenant that ever had an instance, how that stands, and how its last operation ended."""
    found = []
    for row in list_tenants(runtime):
        tenant = TenantId(row["id"])
        with runtime.database.platform() as connection:
            last = latest_operation(connection, tenant)
        if last is None:
            continue
        ours = last.backend == backend.name
        status = backend.status(tenant, last.namespace) if ours else None
        found.append(
            {
                "tenant": tenant,
                "backend": last.backend,
                "phase": str(status.phase) if status else "",
                "endpoint": status.endpoint if status else None,
                "detail": status.detail if status else "Another backend runs it.",
                "last": f"{last.act}: {last.outcome}",
            }
        )
    return found

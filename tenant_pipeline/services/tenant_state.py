"""What a tenant's state allows, asked in the transaction that does it.

Whoever changes a state, or what else the tenant's row holds, has the lock on the tenant's approvals, as do asking,
deciding and using: what is read here under that lock stays so until the transaction ends. It is taken before the row
and the audit log are written, so that nobody waits for the one and holds the other.
"""

from __future__ import annotations

from tenant_pipeline.core import lifecycle
from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.lifecycle import TenantState
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.database import Connection


def state_of(connection: Connection, tenant: TenantId) -> TenantState:
    """The tenant's state. Raises NotFoundError when there is no such tenant."""
    row = connection.execute("SELECT status FROM runtime.tenants WHERE id = %s", (tenant,)).fetchone()
    if row is None:
        raise NotFoundError(
            f"There is no tenant {tenant}", where="--tenant", remedy="`tenant-pipeline tenant list` shows them."
        )
    return TenantState(row["status"])


def require_fitting(connection: Connection, tenant: TenantId, operation: Operation) -> None:
    """Return where the tenant's state allows the operation. Raises StateForbidsError."""
    lifecycle.require_fitting(operation, state_of(connection, tenant), where=tenant)


def require_in_service(connection: Connection, tenant: TenantId) -> None:
    """Return when the tenant takes in and publishes. Raises StateForbidsError where it is suspended or archived."""
    lifecycle.require_in_service(state_of(connection, tenant), where=tenant)

"""Instances that were provisioned: they stand while their tenant is served, and rest while it is not.

They also rest with their database, and are brought back after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator

from tenant_pipeline.core.approval.operation import Operation as Approved
from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.lifecycle import FITTING, SERVING
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import InstanceStatus, Phase, Provisioner
from tenant_pipeline.services.provisioning.operations import (
    Act,
    Operation,
    exclusive,
    operations,
    require_same_backend,
)
from tenant_pipeline.services.provisioning.specification import plan_provisioning, specification_of
from tenant_pipeline.services.registry import list_tenants
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import state_of
from tenant_pipeline.storage.audit_log import AuditEntry


def bring_back(runtime: Runtime, backend: Provisioner, *, timeout: float) -> list[InstanceStatus]:
    """Have every instance of this backend whose tenant is served stand again, as approved; how each now stands.

    One whose specification has changed since it was approved is left alone, and one that does not come up does not
    hold up the others.
    """
    found = [_brought_back(runtime, operation, backend, timeout) for operation in _provisioned(runtime, backend)]
    return [status for status in found if status is not None]


def bring_back_instance(
    runtime: Runtime, tenant: TenantId, backend: Provisioner, *, timeout: float, actor: str
) -> InstanceStatus | None:
    """As `bring_back`, for one tenant that has come back into service; None where it has no instance here. Audited."""
    operation = _operation_it_stands_by(runtime, tenant, backend)
    if operation is None:
        return None
    status = _brought_back(runtime, operation, backend, timeout)
    if status is not None:
        _audit(runtime, tenant, actor, "instance.brought-back", str(status.phase))
    return status


def rest_instance(runtime: Runtime, tenant: TenantId, backend: Provisioner, *, timeout: float, actor: str) -> bool:
    """Stop the instance of a tenant that is not served, until it is brought back; whether one stood. Audited.

    Its login and releases stay. Doing it again is harmless. Raises ProvisioningError where somebody else is changing
    it, or another backend runs it.
    """
    operation = _last_provisioning(runtime, tenant, ("done", "open"))
    if operation is None:
        return False
    require_same_backend(operation, backend.name)
    if not _stands(backend, operation):
        return False
    with exclusive(runtime, tenant):
        with runtime.database.platform() as connection:
            state = state_of(connection, tenant)
            being_brought_up = operation.outcome == "open" and state in FITTING[Approved.INSTANCE]
        if state in SERVING or being_brought_up:
            return False
        backend.deprovision(tenant, operation.namespace, timeout=timeout)
    _audit(runtime, tenant, actor, "instance.rested", str(Phase.ABSENT))
    return True


def tenants_whose_instance_rests(runtime: Runtime) -> list[TenantId]:
    """The tenants that have, or had, an instance, and are not served."""
    with runtime.database.platform() as connection:
        rows = connection.execute(
            """
            SELECT id FROM runtime.tenants AS tenant
             WHERE status <> ALL(%s)
               AND EXISTS (SELECT FROM runtime.provisioning_operations WHERE tenant_id = tenant.id)
             ORDER BY id
            """,
            ([str(state) for state in SERVING],),
        ).fetchall()
    return [TenantId(row["id"]) for row in rows]


def lay_to_rest(runtime: Runtime, backend: Provisioner, *, timeout: float) -> int:
    """Stop every instance of this backend until `bring_back`; their logins and releases stay. How many stood."""
    stood = 0
    for operation in _provisioned(runtime, backend):
        if _stands(backend, operation):
            with exclusive(runtime, operation.tenant):
                backend.deprovision(operation.tenant, operation.namespace, timeout=timeout)
            stood += 1
    return stood


def _brought_back(
    runtime: Runtime, operation: Operation, backend: Provisioner, timeout: float
) -> InstanceStatus | None:
    """How it now stands; None where its tenant is not served."""
    tenant = operation.tenant
    try:
        with exclusive(runtime, tenant):
            with runtime.database.platform() as connection:
                if state_of(connection, tenant) not in SERVING:
                    return None
            if plan_provisioning(runtime, tenant, backend).digest() != operation.plan_digest:
                return InstanceStatus(tenant, Phase.ABSENT, detail="It has changed since it was approved.")
            return backend.apply(specification_of(runtime, tenant), timeout=timeout)
    except ProvisioningError as error:
        return InstanceStatus(tenant, Phase.UNHEALTHY, detail=error.what)


def _stands(backend: Provisioner, operation: Operation) -> bool:
    return backend.status(operation.tenant, operation.namespace).phase is not Phase.ABSENT


def _provisioned(runtime: Runtime, backend: Provisioner) -> Iterator[Operation]:
    for row in list_tenants(runtime):
        operation = _operation_it_stands_by(runtime, TenantId(row["id"]), backend)
        if operation is not None:
            yield operation


def _operation_it_stands_by(runtime: Runtime, tenant: TenantId, backend: Provisioner) -> Operation | None:
    """The operation that the tenant's instance stands by, if this backend runs it."""
    last = _last_provisioning(runtime, tenant, ("done",))
    return last if last is not None and last.backend == backend.name else None


def _last_provisioning(runtime: Runtime, tenant: TenantId, outcomes: tuple[str, ...]) -> Operation | None:
    """What brought the instance up last, with such an outcome; None where it was deprovisioned since."""
    with runtime.database.platform() as connection:
        for each in operations(connection, tenant):
            if each.act is Act.DEPROVISION and each.outcome == "done":
                return None
            if each.act is Act.PROVISION and each.outcome in outcomes:
                return each
    return None


def _audit(runtime: Runtime, tenant: TenantId, actor: str, action: str, phase: str) -> None:
    with runtime.database.platform() as connection:
        runtime.audit.append(connection, tenant, [AuditEntry(actor, action, tenant, {"phase": phase})])

"""Instances that were provisioned: they stand while their tenant is served, and rest while it is not.

They also rest with their database, and are brought back after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.lifecycle import FITTING, SERVING
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import InstanceStatus, Phase, Provisioner
from tenant_pipeline.services.provisioning.operations import (
    Act,
    ProvisioningOperation,
    exclusive,
    latest_operation,
    operations,
    require_same_backend,
)
from tenant_pipeline.services.provisioning.specification import InstanceChangedError, wanted_instance
from tenant_pipeline.services.registry import list_tenants
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import state_of
from tenant_pipeline.storage.audit_log import AuditEntry


def bring_back(runtime: Runtime, backend: Provisioner, *, timeout: float) -> Iterator[InstanceStatus]:
    """Have every instance of this backend whose tenant is served stand again, as approved; how each then stands.

    They are brought back one after another, as whoever iterates goes on. One whose specification has changed since it
    was approved is left alone, and one that does not come up does not hold up the others. Raises ProvisioningError,
    before the first is tried, where the backend does not let itself be looked at.
    """
    provisioned = list(_provisioned(runtime, backend))
    if provisioned:
        backend.standing()
    for operation in provisioned:
        try:
            status = _brought_back(runtime, operation, backend, timeout)
        except InstanceChangedError as error:
            status = InstanceStatus(operation.tenant, Phase.ABSENT, detail=error.what)
        except ProvisioningError as error:
            status = InstanceStatus(operation.tenant, Phase.UNHEALTHY, detail=error.what)
        if status is not None:
            yield status


def bring_back_instance(
    runtime: Runtime, tenant: TenantId, backend: Provisioner, *, timeout: float, actor: str
) -> InstanceStatus | None:
    """As `bring_back`, for one tenant that has come back into service; None where it has no instance here. Audited.

    Raises InstanceChangedError, and ProvisioningError where not all of it could be brought back.
    """
    operation = _operation_it_stands_by(runtime, tenant, backend)
    if operation is None:
        return None
    status = _brought_back(runtime, operation, backend, timeout)
    if status is not None:
        _audit(runtime, tenant, actor, "instance.brought-back", status.phase)
    return status


def rest_instance(runtime: Runtime, tenant: TenantId, backend: Provisioner, *, timeout: float, actor: str) -> bool:
    """Stop the instance of a tenant that is not served, until it is brought back; whether one stood. Audited.

    So is one whose isolation was found broken, and which was not taken down: whoever did that was killed.

    Its login and releases stay. Doing it again is harmless. Raises ProvisioningError where somebody else is changing
    it, where another backend runs it, or where it is not gone in time; once it is going, that is audited.
    """
    operation = _last_provisioning(runtime, tenant, ("done", "open"))
    if operation is None:
        return False
    require_same_backend(operation, backend.name)
    before = backend.status(tenant, operation.namespace).phase
    if before is Phase.ABSENT:
        return False
    with exclusive(runtime, tenant):
        with runtime.database.platform() as connection:
            state, latest = state_of(connection, tenant), latest_operation(connection, tenant)
        being_brought_up = operation.outcome == "open" and state in FITTING[Operation.INSTANCE]
        isolated = latest is None or not latest.broke_isolation
        if isolated and (state in SERVING or being_brought_up):
            return False
        try:
            backend.deprovision(tenant, operation.namespace, timeout=timeout)
        except ProvisioningError:
            now = backend.status(tenant, operation.namespace).phase
            if now is Phase.TERMINATING and before is not Phase.TERMINATING:
                _audit(runtime, tenant, actor, "instance.rested", now)
            raise
    _audit(runtime, tenant, actor, "instance.rested", Phase.ABSENT)
    return True


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
    runtime: Runtime, operation: ProvisioningOperation, backend: Provisioner, timeout: float
) -> InstanceStatus | None:
    """How it now stands; None where its tenant is not served, or the instance was taken away, or is being, since.

    Where all of it is there and it is not healthy in time, that is how it stands: the rest is the backend's to do.
    """
    tenant = operation.tenant
    with exclusive(runtime, tenant):
        with runtime.database.platform() as connection:
            if state_of(connection, tenant) not in SERVING:
                return None
            latest = latest_operation(connection, tenant)
        if latest is None or latest.act is Act.DEPROVISION or latest.left_nothing or latest.broke_isolation:
            return None
        wanted = wanted_instance(runtime, tenant, backend)
        wanted.require_approved(operation.plan_digest)
        try:
            return backend.apply(wanted.specification, timeout=timeout)
        except ProvisioningError as error:
            if not backend.standing().get(operation.namespace):
                raise
            return replace(backend.status(tenant, operation.namespace), detail=error.what)


def _stands(backend: Provisioner, operation: ProvisioningOperation) -> bool:
    return backend.status(operation.tenant, operation.namespace).phase is not Phase.ABSENT


def _provisioned(runtime: Runtime, backend: Provisioner) -> Iterator[ProvisioningOperation]:
    for row in list_tenants(runtime):
        operation = _operation_it_stands_by(runtime, TenantId(row["id"]), backend)
        if operation is not None:
            yield operation


def _operation_it_stands_by(runtime: Runtime, tenant: TenantId, backend: Provisioner) -> ProvisioningOperation | None:
    """The operation that the tenant's instance stands by, if this backend runs it."""
    last = _last_provisioning(runtime, tenant, ("done",))
    return last if last is not None and last.backend == backend.name else None


def _last_provisioning(runtime: Runtime, tenant: TenantId, outcomes: tuple[str, ...]) -> ProvisioningOperation | None:
    """What brought the instance up last, with such an outcome; None where it was deprovisioned since."""
    with runtime.database.platform() as connection:
        for each in operations(connection, tenant):
            if each.act is Act.DEPROVISION and each.outcome == "done":
                return None
            if each.act is Act.PROVISION and each.outcome in outcomes:
                return each
    return None


def _audit(runtime: Runtime, tenant: TenantId, actor: str, action: str, phase: Phase) -> None:
    with runtime.database.platform() as connection:
        runtime.audit.append(connection, tenant, [AuditEntry(actor, action, tenant, {"phase": str(phase)})])

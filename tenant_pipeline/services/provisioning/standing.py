"""Instances that were provisioned and should stand: brought back after a restart, laid to rest with their database."""

from __future__ import annotations

from collections.abc import Iterator

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import InstanceStatus, Phase, Provisioner
from tenant_pipeline.services.provisioning.operations import Act, Operation, exclusive, operations
from tenant_pipeline.services.provisioning.specification import plan_provisioning, specification_of
from tenant_pipeline.services.registry import list_tenants
from tenant_pipeline.services.runtime import Runtime


def bring_back(runtime: Runtime, backend: Provisioner, *, timeout: float) -> list[InstanceStatus]:
    """Have every provisioned instance of this backend stand again, as it was approved; how each now stands.

    One whose specification has changed since it was approved is left alone, and one that does not come up does not
    hold up the others.
    """
    found = []
    for operation in _provisioned(runtime, backend):
        tenant = operation.tenant
        if plan_provisioning(runtime, tenant, backend).digest() != operation.plan_digest:
            found.append(InstanceStatus(tenant, Phase.ABSENT, detail="It has changed since it was approved."))
            continue
        try:
            with exclusive(runtime, tenant):
                found.append(backend.apply(specification_of(runtime, tenant), timeout=timeout))
        except ProvisioningError as error:
            found.append(InstanceStatus(tenant, Phase.UNHEALTHY, detail=error.what))
    return found


def lay_to_rest(runtime: Runtime, backend: Provisioner, *, timeout: float) -> int:
    """Stop every instance of this backend until `bring_back`; their logins and releases stay. How many stood."""
    stood = 0
    for operation in _provisioned(runtime, backend):
        if backend.status(operation.tenant, operation.namespace).phase is not Phase.ABSENT:
            with exclusive(runtime, operation.tenant):
                backend.deprovision(operation.tenant, operation.namespace, timeout=timeout)
            stood += 1
    return stood


def _provisioned(runtime: Runtime, backend: Provisioner) -> Iterator[Operation]:
    """The operation that each instance of this backend stands by: the last that was done, if it brought it up."""
    for row in list_tenants(runtime):
        with runtime.database.platform() as connection:
            done = [each for each in operations(connection, TenantId(row["id"])) if each.outcome == "done"]
        if done and done[0].act is Act.PROVISION and done[0].backend == backend.name:
            yield done[0]

"""Other secrets for an instance that runs: password and token change together."""

from __future__ import annotations

from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.lifecycle import FITTING, SERVING, TenantState
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import InstanceStatus, Phase, Provisioner, StillStartingError
from tenant_pipeline.services.provisioning.operations import Act, ProvisioningOperation, exclusive, latest_operation
from tenant_pipeline.services.provisioning.specification import specification_of
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import state_of
from tenant_pipeline.storage.audit_log import AuditEntry


def rotate_credentials(
    runtime: Runtime, tenant: TenantId, *, backend: Provisioner, requested_by: str, timeout: float
) -> InstanceStatus:
    """Give the instance another password and token, and roll it onto them. Audited.

    Sessions that are open go on; new ones with the old password are refused at once. Killed in between, doing it again
    or provisioning again brings the instance onto the newest secrets. One that rests, or is to rest, is not rolled: it
    gets them when it comes back. Raises ProvisioningError where there is no instance or somebody else is changing it,
    StillStartingError where only the waiting for it has failed.
    """
    with exclusive(runtime, tenant):
        namespace = specification_of(runtime, tenant).namespace
        with runtime.database.platform() as connection:
            state, last = state_of(connection, tenant), latest_operation(connection, tenant)
        if last is None or last.backend != backend.name or last.left_nothing:
            raise ProvisioningError("There is no such instance", where=namespace, remedy="Provision it first.")
        rests = backend.status(tenant, namespace).phase is Phase.ABSENT
        runtime.database.rotate_instance_login(tenant)
        with runtime.database.platform() as connection:
            entry = AuditEntry(requested_by, "instance.rotate", namespace, {"backend": backend.name})
            runtime.audit.append(connection, tenant, [entry])
        if rests or not _is_to_stand(state, last):
            return backend.status(tenant, namespace)
        try:
            return backend.apply(specification_of(runtime, tenant), timeout=timeout)
        except StillStartingError as error:
            raise StillStartingError(
                error.what,
                where=error.where,
                remedy="Password and token are changed, and its pods go on by themselves: `tenant-pipeline instance"
                " status` shows how far they are. Rotating again would begin anew.",
            ) from None


def _is_to_stand(state: TenantState, last: ProvisioningOperation) -> bool:
    """Whether it serves its tenant, or is being brought up; where isolation was found broken, neither may go on."""
    fitting = FITTING[Operation.INSTANCE] if last.outcome == "open" else SERVING
    return last.act is Act.PROVISION and not (last.left_nothing or last.broke_isolation) and state in fitting

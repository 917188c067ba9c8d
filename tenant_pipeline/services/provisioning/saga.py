"""Bringing an instance up as a saga (Garcia-Molina and Salem, 1987): durable steps, and compensation in reverse.

Killed at any moment, the next call goes on where the steps end, or takes back what was done where it cannot go on. A
step that fails is taken back at once, with all before it; what stood before the operation began stays, unless isolation
was broken: then everything goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tenant_pipeline.core.errors import NotFoundError, ProvisioningError, TenantRuntimeError
from tenant_pipeline.core.lifecycle import StateForbidsError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import Provisioner
from tenant_pipeline.services.provisioning.isolation_probe import IsolationBrokenError
from tenant_pipeline.services.provisioning.operations import (
    COMPENSATED,
    DONE,
    Act,
    ProvisioningOperation,
    State,
    begin,
    exclusive,
    latest_operation,
    record,
    record_in,
    require_same_backend,
)
from tenant_pipeline.services.provisioning.specification import (
    InstanceChangedError,
    plan_provisioning,
    specification_of,
)
from tenant_pipeline.services.provisioning.steps import STEPS, Work
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.telemetry.traces import span

APPLY_SECONDS = 60.0
FAILED, REMOVED, DROPPED = "failed", "instance_removed", "role_dropped"
OnStep = Callable[[str, str], None]
"""Told of each step's name and moment: `before` and `after` for what is done, `before undoing` and `undone` for what is
taken back."""


def _unheard(step: str, moment: str) -> None:
    return


def _nothing_with_it(connection: Connection) -> None:
    return


def provision(
    runtime: Runtime,
    tenant: TenantId,
    *,
    backend: Provisioner,
    approvals: Sequence[str],
    requested_by: str,
    verify: Callable[[Connection], None],
    finish: Callable[[Connection], None] = _nothing_with_it,
    on_step: OnStep = _unheard,
    timeout: float = APPLY_SECONDS,
) -> ProvisioningOperation:
    """Bring the tenant's instance up, or finish bringing it up, and return what was done. Every step is audited.

    `verify` checks the approvals in the transaction that begins or resumes the operation, and raises where they do not
    hold: then nothing is done. `finish` does, in the transaction that ends the operation, what is true with its end;
    where it raises, all is taken back. Raises ProvisioningError where a step fails (all is taken back), where somebody
    else is at it, or where taking the instance down was not finished.

    An unfinished operation is taken back, too, where `verify` raises StateForbidsError, or where the instance is no
    longer the one that it was begun for (InstanceChangedError): it could never go on.
    """
    work = Work(runtime, tenant, backend, timeout)
    with exclusive(runtime, tenant):
        _finish_taking_back(work, requested_by, on_step)
        try:
            operation = _begun_or_resumed(work, approvals, requested_by, verify)
        except (StateForbidsError, InstanceChangedError) as error:
            unfinished = _unfinished(work)
            if unfinished is not None:
                _fail(work, unfinished, requested_by, on_step, error)
            raise
        try:
            for step in STEPS:
                if operation.has(step.name, State.DONE):
                    continue
                if operation.found_before(step.name) is None:
                    record(runtime, operation, step.name, State.BEGUN, step.find(work), requested_by)
                on_step(step.name, "before")
                with span("provisioning step", {"tenant": tenant, "step": step.name}):
                    done = step.do(work)
                on_step(step.name, "after")
                record(runtime, operation, step.name, State.DONE, done, requested_by)
            with runtime.database.platform() as connection:
                finish(connection)
                record_in(runtime, connection, operation, DONE, State.DONE, {}, requested_by)
        except Exception as error:
            _fail(work, operation, requested_by, on_step, error)
            raise
        return _latest(runtime, tenant)


def deprovision(
    runtime: Runtime,
    tenant: TenantId,
    *,
    backend: Provisioner,
    approvals: Sequence[str],
    requested_by: str,
    verify: Callable[[Connection], None],
    on_step: OnStep = _unheard,
    timeout: float = APPLY_SECONDS,
) -> ProvisioningOperation:
    """Take the tenant's instance and its login away. The releases in the tenant's schema stay: they are the tenant's.

    Provisioning that was not finished is taken back first. `verify` checks, before that and again in the transaction
    that begins or resumes taking down, whether it may be done, and raises where it may not. Killed, the next call goes
    on. Raises ProvisioningError where somebody else is at it, NotFoundError where nothing was ever provisioned.
    """
    work = Work(runtime, tenant, backend, timeout)
    with exclusive(runtime, tenant):
        specification = specification_of(runtime, tenant)
        operation = _latest(runtime, tenant)
        require_same_backend(operation, backend.name)
        if operation.act is Act.PROVISION and operation.outcome == "open":
            with runtime.database.platform() as connection:
                verify(connection)
            _undo(work, operation, requested_by, on_step)
        with runtime.database.platform() as connection:
            verify(connection)
            if operation.act is Act.PROVISION or operation.outcome != "open":
                namespace, digest = specification.namespace, operation.plan_digest
                operation = begin(
                    connection, tenant, Act.DEPROVISION, backend.name, namespace, digest, approvals, requested_by
                )
                _audit(runtime, connection, operation, "instance.deprovision", requested_by)
        acts: tuple[tuple[str, Callable[[], None]], ...] = (
            (REMOVED, lambda: backend.deprovision(tenant, operation.namespace, timeout=timeout)),
            (DROPPED, lambda: runtime.database.drop_instance_login(tenant)),
            (DONE, lambda: None),
        )
        for step, act in acts:
            if not operation.has(step, State.DONE):
                on_step(step, "before")
                act()
                on_step(step, "after")
                record(runtime, operation, step, State.DONE, {}, requested_by)
        return _latest(runtime, tenant)


def _begun_or_resumed(
    work: Work, approvals: Sequence[str], requested_by: str, verify: Callable[[Connection], None]
) -> ProvisioningOperation:
    runtime, tenant = work.runtime, work.tenant
    wanted = plan_provisioning(runtime, tenant, work.backend).wanted
    with runtime.database.platform() as connection:
        verify(connection)
        operation = latest_operation(connection, tenant)
        if operation is not None and operation.outcome == "open":
            require_same_backend(operation, work.backend.name)
            if operation.act is Act.DEPROVISION:
                raise ProvisioningError(
                    "Taking the instance down was not finished",
                    where=tenant,
                    remedy="Finish it with `tenant-pipeline instance deprovision`; then provision.",
                )
            wanted.require_approved(operation.plan_digest)
            _audit(runtime, connection, operation, "instance.provision-resumed", requested_by)
            return operation
        operation = begin(
            connection,
            tenant,
            Act.PROVISION,
            work.backend.name,
            wanted.specification.namespace,
            wanted.digest(),
            approvals,
            requested_by,
        )
        _audit(runtime, connection, operation, "instance.provision", requested_by)
    return operation


def _fail(work: Work, operation: ProvisioningOperation, requested_by: str, on_step: OnStep, error: Exception) -> None:
    """Record why, and take back what was done."""
    why = error.what if isinstance(error, TenantRuntimeError) else type(error).__name__
    detail = {"reason": why, "isolation_broken": isinstance(error, IsolationBrokenError)}
    record(work.runtime, operation, FAILED, State.FAILED, detail, requested_by)
    _undo(work, _latest(work.runtime, work.tenant), requested_by, on_step)


def _finish_taking_back(work: Work, requested_by: str, on_step: OnStep) -> None:
    """An operation that had failed, or was being taken back when it was killed, is not gone on with."""
    operation = _unfinished(work)
    if operation is not None and any(each.state in (State.FAILED, State.UNDONE) for each in operation.steps):
        _undo(work, operation, requested_by, on_step)


def _unfinished(work: Work) -> ProvisioningOperation | None:
    """The provisioning that was begun and not ended, if any. Raises ProvisioningError where another backend runs it."""
    with work.runtime.database.platform() as connection:
        operation = latest_operation(connection, work.tenant)
    if operation is None or operation.act is not Act.PROVISION or operation.outcome != "open":
        return None
    require_same_backend(operation, work.backend.name)
    return operation


def _undo(work: Work, operation: ProvisioningOperation, requested_by: str, on_step: OnStep) -> None:
    for step in reversed(STEPS):
        found = operation.found_before(step.name)
        if found is None or operation.has(step.name, State.UNDONE):
            continue
        if operation.broke_isolation and "existed" in found:
            found = {**found, "existed": False}
        on_step(step.name, "before undoing")
        with span("provisioning step undone", {"tenant": work.tenant, "step": step.name}):
            step.undo(work, found)
        on_step(step.name, "undone")
        kept = {"kept": bool(found.get("existed"))}
        record(work.runtime, operation, step.name, State.UNDONE, kept, requested_by)
    record(work.runtime, operation, COMPENSATED, State.DONE, {}, requested_by)


def _latest(runtime: Runtime, tenant: TenantId) -> ProvisioningOperation:
    with runtime.database.platform() as connection:
        operation = latest_operation(connection, tenant)
    if operation is None:
        raise NotFoundError("Nothing was ever provisioned for this tenant", where=tenant)
    return operation


def _audit(runtime: Runtime, connection: Connection, operation: ProvisioningOperation, action: str, actor: str) -> None:
    details: dict[str, Any] = {
        "backend": operation.backend,
        "namespace": operation.namespace,
        "plan_digest": operation.plan_digest,
        "approvals": list(operation.approvals),
    }
    runtime.audit.append(connection, operation.tenant, [AuditEntry(actor, action, str(operation.id), details)])

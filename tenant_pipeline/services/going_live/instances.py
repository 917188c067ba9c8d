"""A tenant's instance: asked for, approved, brought up, probed, and the tenant taken as far as its approvals lead."""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.approval.operation import Operation, digest_of_operation
from tenant_pipeline.core.errors import InputError, ProvisioningError
from tenant_pipeline.core.lifecycle import TenantState
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import Phase, Provisioner
from tenant_pipeline.services import registry
from tenant_pipeline.services.approvals.line import OperationInLine
from tenant_pipeline.services.approvals.records import RecordedRequest
from tenant_pipeline.services.approvals.refusals import ApprovalMissingError
from tenant_pipeline.services.approvals.requesting import request_operation
from tenant_pipeline.services.approvals.verification import use_approvals
from tenant_pipeline.services.coverage.reading import verdict_of_tenant
from tenant_pipeline.services.going_live.conditions import approvals_of_release, what_keeps_from_live
from tenant_pipeline.services.going_live.releases import first_ready
from tenant_pipeline.services.lifecycle import locked_state, move_on, require_isolation_tested
from tenant_pipeline.services.provisioning.backends import backend_of
from tenant_pipeline.services.provisioning.operations import ProvisioningOperation, latest_operation
from tenant_pipeline.services.provisioning.saga import OnStep, provision
from tenant_pipeline.services.provisioning.specification import wanted_instance
from tenant_pipeline.services.releases.reading import live_release
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import require_fitting, state_of
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.telemetry.traces import traced


def request_instance(
    runtime: Runtime, tenant: TenantId, *, requested_by: str, reason: str = "", backend: Provisioner | None = None
) -> list[RecordedRequest]:
    """Ask for the approvals that the tenant's instance takes.

    They are those of a tenant admin, of platform governance and, for its first instance, of the founder.

    Raises StateForbidsError for a draft and out of service, InputError where nothing is published that it could serve,
    or no data-handling agreement is on record.
    """
    with runtime.database.platform() as connection:
        require_fitting(connection, tenant, Operation.INSTANCE)
    if not (registry.show_tenant(runtime, tenant)["pdpa_agreement_ref"] or "").strip():
        raise InputError(
            "No data-handling agreement is on record",
            where=tenant,
            remedy="`tenant-pipeline tenant update --pdpa-agreement` records it.",
        )
    with runtime.database.platform() as connection:
        if live_release(connection, tenant) is None:
            raise InputError("Nothing is published that an instance could serve", where=tenant)
    content = _content(runtime, tenant, backend or backend_of(runtime))
    return request_operation(runtime, tenant, Operation.INSTANCE, content, requested_by=requested_by, reason=reason)


@traced("instance.provision")
def provision_approved(
    runtime: Runtime,
    tenant: TenantId,
    *,
    run_by: str,
    backend: Provisioner | None = None,
    on_step: OnStep = lambda step, moment: None,
) -> dict[str, Any]:
    """Bring up the instance that was approved, or finish bringing it up, and take the tenant to pilot and live.

    It goes to pilot where a penetration test stands, and live where moreover the live release passed gate-go-live,
    coverage is green and the founder has signed; what keeps it from that is told. Raises ApprovalMissingError with all
    that is missing, and StateForbidsError for a draft and out of service; then nothing is begun. A tenant that becomes
    either meanwhile gets what was begun taken back.
    """
    used_backend = backend or backend_of(runtime)
    unfinished = _unfinished(runtime, tenant)
    chosen = None if unfinished else first_ready(runtime, tenant, Operation.INSTANCE)
    approvals = list(unfinished.approvals) if unfinished else list(chosen.approvals if chosen else ())
    held_back: list[str] = []

    def verify(connection: Connection) -> None:
        require_fitting(connection, tenant, Operation.INSTANCE)
        if state_of(connection, tenant) is TenantState.REVIEW:
            require_isolation_tested(runtime, connection, tenant)
        if chosen is not None:
            _use(runtime, connection, tenant, chosen, used_backend, run_by)
        elif unfinished is not None:
            _require_unfinished(connection, unfinished)

    def finish(connection: Connection) -> None:
        held_back.extend(_go_live(runtime, connection, tenant, used_backend, approvals, run_by))

    operation = provision(
        runtime,
        tenant,
        backend=used_backend,
        approvals=approvals,
        requested_by=run_by,
        verify=verify,
        finish=finish,
        on_step=on_step,
        timeout=used_backend.apply_seconds,
    )
    status = used_backend.status(tenant, operation.namespace)
    return {
        "operation": str(operation.id),
        "backend": operation.backend,
        "namespace": operation.namespace,
        "endpoint": status.endpoint or "",
        "phase": str(status.phase),
        "approvals": approvals,
        "state": registry.show_tenant(runtime, tenant)["status"],
        "not_live_because": held_back,
        "isolation_probe": _probe_of(operation),
    }


def provisioning_is_unfinished(runtime: Runtime, tenant: TenantId) -> bool:
    """Whether bringing the instance up was begun, with its approvals used, and not ended: it only needs to go on."""
    return _unfinished(runtime, tenant) is not None


def _content(runtime: Runtime, tenant: TenantId, backend: Provisioner) -> dict[str, Any]:
    return {
        **wanted_instance(runtime, tenant, backend).as_json(),
        "pdpa_agreement_ref": registry.show_tenant(runtime, tenant)["pdpa_agreement_ref"],
        "isolation": vars(backend.capabilities),
    }


def _use(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    chosen: OperationInLine,
    backend: Provisioner,
    run_by: str,
) -> None:
    """Use the approvals up for exactly what is planned now: what has changed since is not approved."""
    content = _content(runtime, tenant, backend)
    if digest_of_operation(tenant, Operation.INSTANCE, content) != chosen.digest:
        raise ApprovalMissingError(
            "What was approved is not what would be provisioned now",
            where=f"{tenant}, digest {chosen.digest[:12]}…",
            remedy="Ask for its approvals again.",
        )
    used = use_approvals(runtime, connection, tenant, Operation.INSTANCE, content, used_by=run_by)
    connection.execute(
        """
        UPDATE runtime.tenants
           SET founder_signoff_ref = coalesce(founder_signoff_ref, (
               SELECT id::text FROM runtime.approvals
                WHERE tenant_id = %(tenant)s AND id = ANY(%(used)s::uuid[]) AND role = 'founder'))
         WHERE id = %(tenant)s
        """,
        {"tenant": tenant, "used": used},
    )


def _require_unfinished(connection: Connection, operation: ProvisioningOperation) -> None:
    """Its approvals were used for this operation: with its end, whoever ended it, they are good for nothing more."""
    latest = latest_operation(connection, operation.tenant)
    if latest is None or latest.id != operation.id or latest.outcome != "open":
        raise ApprovalMissingError(
            "What was begun with these approvals has ended",
            where=operation.tenant,
            remedy="`tenant-pipeline instance status` shows how; `tenant-pipeline instance request` asks anew.",
        )


def _unfinished(runtime: Runtime, tenant: TenantId) -> ProvisioningOperation | None:
    """The operation that was killed, if any: its approvals were used when it began, and it goes on with those."""
    with runtime.database.platform() as connection:
        operation = latest_operation(connection, tenant)
    if operation is None or operation.outcome != "open" or str(operation.act) != "provision":
        return None
    return operation


def _go_live(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    backend: Provisioner,
    approvals: list[str],
    run_by: str,
) -> list[str]:
    """Take the tenant to pilot, then live; what keeps it from being live."""
    if state_of(connection, tenant) is not TenantState.LIVE:
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        verdict_of_tenant(runtime, tenant)  # takes minutes of a large tenant, and is kept: below nobody waits for it
    state = locked_state(connection, tenant)
    require_fitting(connection, tenant, Operation.INSTANCE)
    status = backend.status(tenant, registry.show_tenant(runtime, tenant)["k8s_namespace"])
    if status.phase is not Phase.HEALTHY:
        raise ProvisioningError(
            f"The instance is {status.phase}. {status.detail}".rstrip(),
            where=tenant,
            remedy="It came to rest before it was finished. Ask for it again.",
        )
    if state is TenantState.REVIEW:
        move_on(
            runtime, connection, tenant, TenantState.PILOT, approvals=approvals, person=run_by,
            reason="its instance is up, and isolated",
        )  # fmt: skip
    if state is TenantState.LIVE:
        return []
    reasons = what_keeps_from_live(runtime, connection, tenant)
    if not reasons:
        live = live_release(connection, tenant)
        assert live is not None
        move_on(
            runtime, connection, tenant, TenantState.LIVE,
            approvals=[*approvals_of_release(connection, tenant), *approvals], person=run_by,
            reason=f"release {live.version} is served",
        )  # fmt: skip
    return reasons


def _probe_of(operation: ProvisioningOperation) -> dict[str, Any]:
    return next((dict(each.detail) for each in operation.steps[::-1]
                 if each.step == "isolation_probe" and str(each.state) == "done"), {})  # fmt: skip

"""A tenant's way from draft to live and back: guarded, recorded, and of two who try at once one wins."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from psycopg.types.json import Jsonb

from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.errors import InputError, ProvisioningError, SettingsError
from tenant_pipeline.core.lifecycle import (
    OUT_OF_SERVICE,
    SERVING,
    TenantState,
    Transition,
    TransitionRefusedError,
    transition_between,
)
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import Phase, Provisioner
from tenant_pipeline.services.approvals.records import RecordedRequest, lock_approvals
from tenant_pipeline.services.approvals.requesting import request_operation, withdraw_unfitting
from tenant_pipeline.services.approvals.verification import use_approvals
from tenant_pipeline.services.coverage.reading import verdict_of_tenant
from tenant_pipeline.services.going_live.conditions import what_keeps_from_live
from tenant_pipeline.services.marketplace.listing import lock_listing, withdraw_outdated
from tenant_pipeline.services.penetration_tests import latest_whole_test, what_keeps_from_serving
from tenant_pipeline.services.provisioning.backends import backend_of
from tenant_pipeline.services.provisioning.specification import InstanceChangedError
from tenant_pipeline.services.provisioning.standing import bring_back_instance, rest_instance
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import state_of
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

BACKWARD_ROLES = ("tenant-admin", *PLATFORM_ROLES)
STEERING_ROLES = PLATFORM_ROLES
"""Who takes a tenant out of service; the tenant's own admin may only take it back a step."""
INSTANCE_SECONDS = 60.0


@dataclass(frozen=True)
class InstanceLeft:
    """What a change of state has left undone about the instance, why, and who does it.

    The sensor `clock` tries again until it is done; the backend brings up what is all there; a request asks for an
    instance that has changed since it was approved.
    """

    to: Literal["clock", "backend", "request"]
    why: str


@dataclass(frozen=True)
class StateChanged:
    """A tenant's registry row after a change of its state, and what is left to do about its instance, if anything."""

    tenant: dict[str, Any]
    instance_left: InstanceLeft | None = None


def move_on(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    to: TenantState,
    *,
    approvals: list[str],
    person: str,
    reason: str,
) -> Transition:
    """Take a gated step forward in the transaction that used the approvals it rests on. Audited.

    Whoever calls has those approvals verified; a step whose gate the contract names is refused without any, and one to
    pilot or live without a penetration test that stands. Raises TransitionRefusedError for both, and where the tenant
    is in another state by now.
    """
    now = locked_state(connection, tenant)
    transition = transition_between(runtime.contracts.transitions, now, to)
    if transition.gate is not None and not approvals:
        raise TransitionRefusedError(f"Nobody has let {transition.gate} pass", where=tenant)
    if to in SERVING:
        require_isolation_tested(runtime, connection, tenant)
    _record(runtime, connection, tenant, transition, approvals, person, reason)
    return transition


def require_isolation_tested(runtime: Runtime, connection: Connection, tenant: TenantId) -> None:
    """Return where a penetration test stands on which a tenant may be served. Raises TransitionRefusedError."""
    reasons = what_keeps_from_serving(connection, runtime.settings.pentest_valid_days)
    if reasons:
        raise TransitionRefusedError(
            f"Isolation is not tested as it is now: {'; '.join(reasons)}",
            where=tenant,
            remedy="Have `tenant-pipeline pentest` run; what was approved is kept.",
        )


def step_back(
    runtime: Runtime,
    tenant: TenantId,
    to: TenantState,
    *,
    person: str,
    role: str,
    reason: str,
    backend: Provisioner | None = None,
) -> StateChanged:
    """Roll a tenant back a state, suspend it or archive it, on a named person's word. Audited.

    What the new state does not allow ends with it: the listing, open requests, and, short of pilot, the instance rests;
    where that is not done yet, the answer says so.

    Raises TransitionRefusedError for a step that goes forward (it takes approvals) or that the state does not allow,
    NotAllowedError without the role, InputError without a reason.
    """
    if not reason.strip():
        raise InputError("Going back a state needs a reason", where="--reason")
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, STEERING_ROLES if to in OUT_OF_SERVICE else BACKWARD_ROLES)
        now = locked_state(connection, tenant)
        transition = transition_between(runtime.contracts.transitions, now, to)
        if transition.gate is not None:
            raise TransitionRefusedError(
                f"The way from {now} to {to} leads through {transition.gate}",
                where=tenant,
                remedy="Ask for its approvals.",
            )
        _record(runtime, connection, tenant, transition, [], person, reason)
    left = None
    if to not in SERVING:
        try:
            rest_instance(runtime, tenant, backend or backend_of(runtime), timeout=INSTANCE_SECONDS, actor=person)
        except (ProvisioningError, SettingsError) as error:
            left = InstanceLeft("clock", error.what)
    return _changed(runtime, tenant, left, person=person)


def lifecycle_content(runtime: Runtime, tenant: TenantId, to: TenantState) -> dict[str, Any]:
    """What is approved when a tenant is to return to service: the step, and the agreement under which it is."""
    row = show_tenant(runtime, tenant)
    transition_between(runtime.contracts.transitions, TenantState(row["status"]), to)
    return {"from": row["status"], "to": str(to), "pdpa_agreement_ref": row["pdpa_agreement_ref"]}


def return_to_service(
    runtime: Runtime, tenant: TenantId, *, person: str, backend: Provisioner | None = None
) -> StateChanged:
    """Take a suspended tenant live again with the approvals given for it, and its instance with it. Audited.

    Where the instance does not stand yet, the answer says so. Raises ApprovalMissingError, and TransitionRefusedError
    for what keeps any tenant from going live: then nothing is changed, and the approvals stay unused.
    """
    content = lifecycle_content(runtime, tenant, TenantState.LIVE)
    verdict_of_tenant(runtime, tenant)  # takes minutes of a large tenant, and is kept: below nobody waits for it
    with runtime.database.platform() as connection:
        used = use_approvals(runtime, connection, tenant, Operation.LIFECYCLE, content, used_by=person)
        reasons = what_keeps_from_live(runtime, connection, tenant)
        if reasons:
            raise TransitionRefusedError(
                f"The tenant does not go live: {'; '.join(reasons)}",
                where=tenant,
                remedy="Mend that, and return: the approvals are kept.",
            )
        move_on(runtime, connection, tenant, TenantState.LIVE, approvals=used, person=person, reason="approved")
    left = None
    try:
        used_backend = backend or backend_of(runtime)
        stands = bring_back_instance(runtime, tenant, used_backend, timeout=INSTANCE_SECONDS, actor=person)
        if stands is not None and stands.phase is not Phase.HEALTHY:
            left = InstanceLeft("backend", stands.detail)
    except InstanceChangedError as error:
        left = InstanceLeft("request", error.what)
    except (ProvisioningError, SettingsError) as error:
        left = InstanceLeft("clock", error.what)
    return _changed(runtime, tenant, left, person=person)


def request_return(runtime: Runtime, tenant: TenantId, *, requested_by: str, reason: str) -> list[RecordedRequest]:
    """Ask for the approvals that taking a suspended tenant live again takes. Raises TransitionRefusedError."""
    status = TenantState(show_tenant(runtime, tenant)["status"])
    if status is not TenantState.SUSPENDED:
        raise TransitionRefusedError(f"A tenant that is {status} has nothing to return from", where=tenant)
    content = lifecycle_content(runtime, tenant, TenantState.LIVE)
    return request_operation(runtime, tenant, Operation.LIFECYCLE, content, requested_by=requested_by, reason=reason)


def ways_from(runtime: Runtime, state: TenantState) -> list[tuple[Transition, Collection[str]]]:
    """Every way out of a state, with the roles of which one takes it; a gated way takes its approvals besides."""
    return [
        (each, STEERING_ROLES if each.to_state in OUT_OF_SERVICE else BACKWARD_ROLES)
        for each in runtime.contracts.transitions
        if each.from_state is state
    ]


def transitions_of(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    """Every change of state, in order."""
    with runtime.database.platform() as connection:
        return connection.execute(
            "SELECT * FROM runtime.tenant_transitions WHERE tenant_id = %s ORDER BY number", (tenant,)
        ).fetchall()


def locked_state(connection: Connection, tenant: TenantId) -> TenantState:
    """The state, held until the transaction ends: of two who change it at once, the second sees what the first did.

    Nor is anything asked for, signed or used meanwhile. Raises NotFoundError.
    """
    lock_approvals(connection, tenant)
    return state_of(connection, tenant)


def _changed(runtime: Runtime, tenant: TenantId, left: InstanceLeft | None, *, person: str) -> StateChanged:
    """What came of a change of state; what it leaves to others about the instance is audited."""
    row = show_tenant(runtime, tenant)
    if left is not None:
        entry = AuditEntry(person, f"instance.left-to-{left.to}", tenant, {"state": row["status"], "why": left.why})
        with runtime.database.platform() as connection:
            runtime.audit.append(connection, tenant, [entry])
    return StateChanged(row, left)


def _record(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    transition: Transition,
    approvals: list[str],
    person: str,
    reason: str,
) -> None:
    if transition.to_state is not TenantState.LIVE:
        lock_listing(connection, tenant)
    connection.execute(
        """
        UPDATE runtime.tenants
           SET status = %(to)s,
               go_live_at = CASE WHEN %(to)s = 'live' THEN coalesce(go_live_at, %(now)s) ELSE go_live_at END
         WHERE id = %(tenant)s
        """,
        {"to": str(transition.to_state), "now": runtime.now(), "tenant": tenant},
    )
    connection.execute(
        """
        INSERT INTO runtime.tenant_transitions (tenant_id, from_state, to_state, rolls_back, person, reason, approvals)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        (
            tenant, str(transition.from_state), str(transition.to_state), transition.rolls_back, person, reason,
            Jsonb(approvals),
        ),
    )  # fmt: skip
    details: dict[str, Any] = {
        "from": str(transition.from_state),
        "to": str(transition.to_state),
        "reason": reason,
        "approvals": approvals,
    }
    if transition.to_state in SERVING and not transition.rolls_back:
        test = latest_whole_test(connection)
        assert test is not None
        details["penetration_test"] = {"number": test["number"], "report_digest": test["report_digest"]}
    entry = AuditEntry(actor=person, action="tenant.transition", subject=tenant, details=details)
    runtime.audit.append(connection, tenant, [entry])
    withdraw_unfitting(runtime, connection, tenant, transition.to_state, person=person)
    if transition.to_state is not TenantState.LIVE:
        withdraw_outdated(
            runtime, connection, tenant, None, person=person, reason=f"The tenant is {transition.to_state}"
        )

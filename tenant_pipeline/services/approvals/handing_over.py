"""What happens to a request besides decisions: assigned, delegated, withdrawn; and a decision taken back."""

from __future__ import annotations

from uuid import UUID

from tenant_pipeline.core.approval.standing import roles_of
from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.persons import is_same_person, require_person_and_reason
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.approvals.records import RecordedRequest, lock_approvals, one_request
from tenant_pipeline.services.approvals.refusals import RequestEndedError
from tenant_pipeline.services.approvals.requesting import OPEN
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection


def assign(
    runtime: Runtime, tenant: TenantId, request: str, *, role: str, to: str, person: str, person_role: str
) -> RecordedRequest:
    """Name who is to decide in a role; others with the role still may. Audited.

    Raises RequestEndedError, and NotAllowedError where either person does not have the role said.
    """
    with runtime.database.platform() as connection:
        recorded = _open(runtime, connection, tenant, request)
        allowed = roles_of(recorded.request.needs)
        require_role(connection, tenant, to, role, allowed)
        require_role(connection, tenant, person, person_role, {*allowed, *PLATFORM_ROLES, "tenant-admin"})
        _require_not_requester(recorded, to)
        return _step(runtime, connection, recorded, "assigned", person, to=to, role=role)


def delegate(
    runtime: Runtime, tenant: TenantId, request: str, *, role: str, to: str, person: str, reason: str
) -> RecordedRequest:
    """Hand one's decision in a role on this request to somebody else. Audited.

    Raises NotAllowedError without the role, for a role whose decision cannot be handed on, by or towards the requester,
    and by who has decided: they have one word.
    """
    require_person_and_reason(to, reason, "A decision is handed to a person, for a reason", where="--to, --reason")
    with runtime.database.platform() as connection:
        recorded = _open(runtime, connection, tenant, request)
        require_role(connection, tenant, person, role, roles_of(recorded.request.needs))
        if role in runtime.contracts.roles_never_delegated:
            raise NotAllowedError(f"The {role}'s decision is nobody else's to give", where="--role")
        for each in (person, to):
            _require_not_requester(recorded, each)
        if any(
            person in (each["approver"], each["on_behalf_of"]) for each in recorded.decisions if not each["revoked"]
        ):
            raise NotAllowedError("Who has decided hands no further decision on", where=f"request {request}")
        return _step(runtime, connection, recorded, "delegated", person, to=to, role=role, reason=reason)


def withdraw(runtime: Runtime, tenant: TenantId, request: str, *, person: str, reason: str) -> RecordedRequest:
    """Take back a request of one's own. Audited. Raises NotAllowedError for somebody else's, RequestEndedError."""
    with runtime.database.platform() as connection:
        recorded = _open(runtime, connection, tenant, request)
        if person != recorded.request.requested_by:
            raise NotAllowedError("Only who asked takes a request back", where=f"request {request}")
        return _step(runtime, connection, recorded, "withdrawn", person, reason=reason)


def revoke(
    runtime: Runtime,
    tenant: TenantId,
    request: str,
    *,
    approval: str,
    person: str,
    role: str,
    reason: str,
) -> RecordedRequest:
    """Take back a decision before it is used: one's own, one given in one's name, or anybody's as governance. Audited.

    For one's own the role is the decision's: it is asked of nobody whether they still hold it, or ever did. A deputy
    never does, and whoever lost it may not be held to a word that they have come to doubt.

    Raises NotFoundError for no such decision, RequestEndedError where the request was used or withdrawn or the
    decision was revoked before, NotAllowedError for another's decision without the role.
    """
    if not reason.strip():
        raise InputError("Taking a decision back needs a reason", where="--reason")
    with runtime.database.platform() as connection:
        lock_approvals(connection, tenant)
        recorded = one_request(connection, tenant, request, runtime.now())
        found = [each for each in recorded.decisions if str(each["id"]) == approval]
        if not found:
            raise NotFoundError("There is no such decision on this request", where=f"request {request}")
        if found[0]["revoked"] or {"used", "withdrawn"} & {step["step"] for step in recorded.steps}:
            raise RequestEndedError("The decision can no longer be taken back", where=f"request {request}")
        theirs = person in (found[0]["approver"], found[0]["on_behalf_of"])
        if not theirs or role != found[0]["role"]:
            require_role(connection, tenant, person, role, PLATFORM_ROLES)
        return _step(
            runtime, connection, recorded, "revoked", person, role=role, approval=found[0]["id"], reason=reason
        )


def _open(runtime: Runtime, connection: Connection, tenant: TenantId, request: str) -> RecordedRequest:
    lock_approvals(connection, tenant)
    recorded = one_request(connection, tenant, request, runtime.now())
    if recorded.standing.state not in OPEN:
        raise RequestEndedError(f"The request is {recorded.standing.state}", where=f"request {request}")
    return recorded


def _require_not_requester(recorded: RecordedRequest, person: str) -> None:
    if is_same_person(person, recorded.request.requested_by):
        raise NotAllowedError("Who asked cannot be the one to decide", where=f"request {recorded.request.id}")


def _step(
    runtime: Runtime,
    connection: Connection,
    recorded: RecordedRequest,
    step: str,
    person: str,
    *,
    to: str = "",
    role: str = "",
    approval: UUID | None = None,
    reason: str = "",
) -> RecordedRequest:
    connection.execute(
        """
        INSERT INTO runtime.approval_steps (tenant_id, request_id, step, person, to_person, role, approval_id, reason)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (recorded.tenant, recorded.request.id, step, person, to, role, approval, reason),
    )
    details = {"gate": str(recorded.request.gate), "to": to, "role": role, "reason": reason}
    entry = AuditEntry(actor=person, action=f"approval.{step}", subject=recorded.request.id, details=details)
    runtime.audit.append(connection, recorded.tenant, [entry])
    return one_request(connection, recorded.tenant, recorded.request.id, runtime.now())

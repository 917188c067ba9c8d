"""Deciding: one person's word in one role, bound to the digest they were shown."""

from __future__ import annotations

import uuid

from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.approval.signature import SignedDecision
from tenant_pipeline.core.approval.standing import RequestState, roles_of
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError, NotAllowedError
from tenant_pipeline.core.persons import is_same_person
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.approvals.person_keys import verified_key
from tenant_pipeline.services.approvals.records import RecordedRequest, lock_approvals, one_request
from tenant_pipeline.services.approvals.refusals import RequestEndedError
from tenant_pipeline.services.approvals.verification import missing_approvals
from tenant_pipeline.services.releases.stages import note_stage
from tenant_pipeline.services.roles import require_role, roles_held
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import require_fitting
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection


def decide(
    runtime: Runtime,
    tenant: TenantId,
    request: str,
    *,
    digest: Sha256,
    approves: bool,
    person: str,
    role: str,
    reason: str,
    signature: bytes | None = None,
) -> RecordedRequest:
    """Approve or reject a request, in a role that the person holds, or else was delegated. Audited.

    `digest` is the one that the person was shown. Raises NotFoundError for no such request; InputError for another
    digest than the request's, or a rejection without a reason; RequestEndedError for one that waits no longer, or on
    which they, or who handed it to them, have decided; StateForbidsError where the tenant's state does not allow what
    is asked for; NotAllowedError for the requester's own, or where they, or who handed it to them, have not the role;
    SignatureRefusedError where they have a key and did not sign with it.
    """
    if not approves and not reason.strip():
        raise InputError("A rejection needs a reason", where="--reason", remedy="Say what has to change.")
    with runtime.database.platform() as connection:
        lock_approvals(connection, tenant)
        now = runtime.now()
        recorded = one_request(connection, tenant, request, now)
        _require_open(recorded, digest, person)
        require_fitting(connection, tenant, recorded.operation)
        holds_it = role in roles_held(connection, tenant).get(person, ())
        behalf = None if holds_it else _delegator(recorded, person, role)
        require_role(connection, tenant, behalf or person, role, roles_of(recorded.request.needs))
        _require_unspoken(recorded, behalf or person)
        decision = "approve" if approves else "reject"
        signed = SignedDecision(tenant, request, str(recorded.request.gate), digest, person, role, decision, reason)
        key = verified_key(connection, signed, signature, recorded.decisions)
        approval = uuid.uuid4()
        connection.execute(
            """
            INSERT INTO runtime.approvals
                   (tenant_id, id, gate, subject, subject_digest, requested_by, approver, role, decision, reason,
                    decided_at, request_id, on_behalf_of, key_id, signature)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                tenant, approval, str(recorded.request.gate), str(recorded.operation), digest,
                recorded.request.requested_by, person, role, decision, reason, now, request, behalf, key, signature,
            ),
        )  # fmt: skip
        _audit(runtime, connection, recorded, person, role, decision, reason)
        if recorded.operation is Operation.RELEASE and not missing_approvals(
            runtime, connection, tenant, recorded.operation, digest
        ):
            note_stage(runtime, connection, tenant, recorded.content["release"], "approved", person=person)
        return one_request(connection, tenant, request, now)


def _require_open(recorded: RecordedRequest, digest: Sha256, person: str) -> None:
    where = f"request {recorded.request.id}"
    if digest != recorded.request.subject_digest:
        raise InputError(
            "This is not what the request asks for",
            where=where,
            remedy="Read the request again: `tenant-pipeline approval show`.",
        )
    if recorded.standing.state not in (RequestState.WAITING, RequestState.APPROVED):
        raise RequestEndedError(f"The request is {recorded.standing.state}", where=where, remedy="Ask anew.")
    if is_same_person(person, recorded.request.requested_by):
        raise NotAllowedError(
            "Nobody decides on a request of their own", where=where, remedy="Have somebody else decide."
        )
    if any(each["approver"] == person for each in recorded.decisions):
        raise RequestEndedError("This person has decided on the request", where=where, remedy="Have another decide.")


def _require_unspoken(recorded: RecordedRequest, whose: str) -> None:
    """One person's word counts once, whoever speaks it."""
    if any(whose == (each["on_behalf_of"] or each["approver"]) for each in recorded.decisions if not each["revoked"]):
        raise RequestEndedError(
            f"A decision of {whose} stands on the request",
            where=f"request {recorded.request.id}",
            remedy="Have somebody else decide, or that decision taken back.",
        )


def _delegator(recorded: RecordedRequest, person: str, role: str) -> str | None:
    """Whose decision in the role was handed to this person, if anybody's."""
    given = [
        step
        for step in recorded.steps
        if step["step"] == "delegated" and step["to_person"] == person and step["role"] == role
    ]
    return str(given[-1]["person"]) if given else None


def _audit(
    runtime: Runtime,
    connection: Connection,
    recorded: RecordedRequest,
    person: str,
    role: str,
    decision: str,
    reason: str,
) -> None:
    details = {
        "gate": str(recorded.request.gate),
        "digest": recorded.request.subject_digest,
        "role": role,
        "reason": reason,
    }
    entry = AuditEntry(actor=person, action=f"approval.{decision}", subject=recorded.request.id, details=details)
    runtime.audit.append(connection, recorded.tenant, [entry])

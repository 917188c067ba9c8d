"""Whether an operation may go ahead: asked where it is done, in the same transaction, and used up there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenant_pipeline.core.approval.operation import GATES, ApprovalGate, Operation, digest_of_operation
from tenant_pipeline.core.approval.signature import SignedDecision
from tenant_pipeline.core.approval.standing import RequestState
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.approvals.person_keys import verified_key
from tenant_pipeline.services.approvals.records import RecordedRequest, lock_approvals, requests_of
from tenant_pipeline.services.approvals.refusals import ApprovalMissingError, SignatureRefusedError
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import require_fitting
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection, later_clock


def missing_approvals(
    runtime: Runtime, connection: Connection, tenant: TenantId, operation: Operation, digest: Sha256
) -> list[str]:
    """What the operation over this digest still waits for, a line for each gate; empty when it may go ahead."""
    _, missing = _look(runtime, connection, tenant, operation, digest)
    return missing


def use_approvals(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    operation: Operation,
    content: Mapping[str, Any],
    *,
    used_by: str,
) -> list[str]:
    """Use up the approvals of the operation over `content`, and return their ids. Audited.

    Whoever does the operation calls this in the transaction that does it: two at once, and one of them finds the
    approvals used. Signatures are verified again. Raises StateForbidsError where the tenant's state does not allow the
    operation, ApprovalMissingError listing every gate that is not open.
    """
    lock_approvals(connection, tenant)
    require_fitting(connection, tenant, operation)
    digest = digest_of_operation(tenant, operation, content)
    approved, missing = _look(runtime, connection, tenant, operation, digest)
    if missing:
        raise ApprovalMissingError(
            f"The {operation} is not approved: {'; '.join(missing)}",
            where=f"{tenant}, digest {digest[:12]}…",
            remedy="`tenant-pipeline approval list` shows what waits for whom.",
        )
    used: list[str] = []
    for recorded in approved:
        connection.execute(
            "INSERT INTO runtime.approval_steps (tenant_id, request_id, step, person) VALUES (%s, %s, 'used', %s)",
            (tenant, recorded.request.id, used_by),
        )
        used += [each.id for each in recorded.standing.met_by]
    details = {"operation": str(operation), "digest": digest, "approvals": used}
    entry = AuditEntry(actor=used_by, action="approval.used", subject=tenant, details=details)
    runtime.audit.append(connection, tenant, [entry])
    return used


def _look(
    runtime: Runtime, connection: Connection, tenant: TenantId, operation: Operation, digest: Sha256
) -> tuple[list[RecordedRequest], list[str]]:
    now = later_clock(connection, runtime.now())
    recorded = requests_of(connection, tenant, now, operation=operation, digest=digest)
    approved, missing = [], []
    for gate in GATES[operation]:
        of_gate = [each for each in recorded if each.request.gate is gate]
        latest = of_gate[-1] if of_gate else None
        reason = _why_closed(connection, gate, latest)
        if reason:
            missing.append(reason)
        elif latest is not None:
            approved.append(latest)
    return approved, missing


def _why_closed(connection: Connection, gate: ApprovalGate, recorded: RecordedRequest | None) -> str:
    if recorded is None:
        return f"{gate} was not asked for over this digest"
    state = recorded.standing.state
    if state is RequestState.WAITING:
        waits_for = " and ".join(" or ".join(sorted(need)) for need in recorded.standing.missing)
        return f"{gate} waits for {waits_for}"
    if state is not RequestState.APPROVED:
        return f"{gate} is {state}"
    try:
        _verify_signatures(connection, recorded)
    except SignatureRefusedError as error:
        return f"{gate}: {error.what[0].lower()}{error.what[1:]}"
    return ""


def _verify_signatures(connection: Connection, recorded: RecordedRequest) -> None:
    counted = {each.id for each in recorded.standing.met_by}
    for each in recorded.decisions:
        if str(each["id"]) in counted:
            signature = each["signature"]
            verified_key(
                connection,
                SignedDecision(
                    recorded.tenant,
                    recorded.request.id,
                    str(recorded.request.gate),
                    recorded.request.subject_digest,
                    each["approver"],
                    each["role"],
                    each["decision"],
                    each["reason"],
                ),
                None if signature is None else bytes(signature),
            )

"""Asking: an operation's gates are asked for together, over one digest."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.approval.operation import GATES, ApprovalGate, Operation, digest_of_operation
from tenant_pipeline.core.approval.standing import RequestState
from tenant_pipeline.core.business_calendar import due_at
from tenant_pipeline.core.digest import canonical_json
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.lifecycle import FITTING, TenantState
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.approvals.records import RecordedRequest, lock_approvals, requests_of
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import require_fitting
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

OPEN = (RequestState.WAITING, RequestState.APPROVED)


def request_operation(
    runtime: Runtime,
    tenant: TenantId,
    operation: Operation,
    content: Mapping[str, Any],
    *,
    requested_by: str,
    reason: str,
) -> list[RecordedRequest]:
    """Ask for every gate of an operation, over the digest of `content`, which approvers read. Audited.

    Asked again over the same digest while the first requests are open, it returns those. Asked over another digest,
    what was asked before for the same operation is withdrawn: nobody can approve what is no longer meant. Raises
    NotFoundError for no such tenant, StateForbidsError where its state does not allow the operation, InputError
    without a person.
    """
    if not requested_by.strip():
        raise InputError("An approval is asked for by a person", where="--person", remedy="Name the person.")
    row = show_tenant(runtime, tenant)
    now = runtime.now()
    digest = digest_of_operation(tenant, operation, content)
    with runtime.database.platform() as connection:
        lock_approvals(connection, tenant)
        require_fitting(connection, tenant, operation)
        standing_requests = [
            each for each in requests_of(connection, tenant, now, operation=operation) if each.standing.state in OPEN
        ]
        for each in standing_requests:
            if each.request.subject_digest != digest:
                _withdraw(runtime, connection, each, requested_by, "superseded", "Something else is asked for now")
        asked = {each.request.gate for each in standing_requests if each.request.subject_digest == digest}
        for gate in GATES[operation]:
            if gate in asked:
                continue
            rule = runtime.contracts.approval_rules[gate]
            needs = [sorted(need) for need in rule.needs]
            if rule.founder_at_first and row["founder_signoff_ref"] is None:
                needs.append(["founder"])
            request = uuid.uuid4()
            connection.execute(
                """
                INSERT INTO runtime.approval_requests
                       (tenant_id, id, gate, subject, subject_digest, content, needs, requested_by, reason,
                        requested_at, due_at, expires_at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                """,
                (
                    tenant, request, str(gate), str(operation), digest, Jsonb(dict(content), dumps=_dumps),
                    Jsonb(needs), requested_by, reason, now, due_at(now, rule.sla_hours),
                    now + timedelta(days=rule.expires_after_days),
                ),
            )  # fmt: skip
            _audit(runtime, connection, tenant, requested_by, request, gate, operation, digest)
        return [
            each
            for each in requests_of(connection, tenant, now, operation=operation, digest=digest)
            if each.standing.state in OPEN
        ]


def _dumps(value: Any) -> str:
    return canonical_json(value).decode()


def withdraw_unfitting(
    runtime: Runtime, connection: Connection, tenant: TenantId, state: TenantState, *, person: str
) -> None:
    """Withdraw what the state that the tenant comes to does not allow, in the transaction that brings it there.

    So that nothing that was signed in other times goes ahead by itself when those come back. Audited.
    """
    for operation in Operation:
        if state not in FITTING[operation]:
            withdraw_open(runtime, connection, tenant, operation, person=person, reason=f"The tenant is {state}")


def withdraw_open(
    runtime: Runtime, connection: Connection, tenant: TenantId, operation: Operation, *, person: str, reason: str
) -> None:
    """Withdraw what is asked for of an operation, signed or not, in a transaction that holds the approvals' lock.

    Audited.
    """
    for each in requests_of(connection, tenant, runtime.now(), operation=operation):
        if each.standing.state in OPEN:
            _withdraw(runtime, connection, each, person, "withdrawn", reason)


def withdraw_outdated_requests(
    runtime: Runtime, tenant: TenantId, requests: Collection[str], *, person: str, reason: str
) -> None:
    """Withdraw those of these requests that are still open, where what they ask for can no longer be done. Audited.

    So that nobody signs it in vain, no run tries it again, and it bars nothing else.
    """
    with runtime.database.platform() as connection:
        lock_approvals(connection, tenant)
        for each in requests_of(connection, tenant, runtime.now()):
            if each.request.id in requests and each.standing.state in OPEN:
                _withdraw(runtime, connection, each, person, "withdrawn", reason)


def _withdraw(
    runtime: Runtime, connection: Connection, old: RecordedRequest, person: str, action: str, reason: str
) -> None:
    connection.execute(
        """
        INSERT INTO runtime.approval_steps (tenant_id, request_id, step, person, reason)
        VALUES (%s, %s, 'withdrawn', %s, %s)
        """,
        (old.tenant, old.request.id, person, reason),
    )
    details = {"gate": str(old.request.gate), "digest": old.request.subject_digest, "reason": reason}
    entry = AuditEntry(actor=person, action=f"approval.{action}", subject=old.request.id, details=details)
    runtime.audit.append(connection, old.tenant, [entry])


def _audit(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    person: str,
    request: uuid.UUID,
    gate: ApprovalGate,
    operation: Operation,
    digest: str,
) -> None:
    details = {"gate": str(gate), "operation": str(operation), "digest": digest}
    entry = AuditEntry(actor=person, action="approval.requested", subject=str(request), details=details)
    runtime.audit.append(connection, tenant, [entry])

"""Requests as they are recorded, each with its decisions and steps, and how it stands."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenant_pipeline.core.approval.operation import ApprovalGate, Operation
from tenant_pipeline.core.approval.standing import ApprovalDecision, ApprovalRequest, Standing, standing
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.database import Connection


@dataclass(frozen=True)
class RecordedRequest:
    """A request with all that has been said and done about it."""

    tenant: TenantId
    request: ApprovalRequest
    operation: Operation
    content: dict[str, Any]
    reason: str
    decisions: tuple[dict[str, Any], ...]
    steps: tuple[dict[str, Any], ...]
    standing: Standing

    @property
    def escalated_to(self) -> tuple[str, ...]:
        return tuple(step["to_person"] for step in self.steps if step["step"] == "escalated")

    def assigned_to(self, role: str) -> str | None:
        """Who is to decide in a role, when somebody was named last."""
        named = [step["to_person"] for step in self.steps if step["step"] == "assigned" and step["role"] == role]
        return named[-1] if named else None

    def as_json(self) -> dict[str, Any]:
        """The request as the command line and the API give it."""
        return {
            "id": self.request.id,
            "tenant": self.tenant,
            "gate": str(self.request.gate),
            "operation": str(self.operation),
            "digest": self.request.subject_digest,
            "content": self.content,
            "state": str(self.standing.state),
            "waits_for": [sorted(need) for need in self.standing.missing],
            "requested_by": self.request.requested_by,
            "reason": self.reason,
            "requested_at": self.request.requested_at.isoformat(),
            "due_at": self.request.due_at.isoformat(),
            "expires_at": self.request.expires_at.isoformat(),
            "breached": self.standing.breached,
            "escalated_to": list(self.escalated_to),
            "decisions": [
                {
                    "id": str(each["id"]),
                    "decision": each["decision"],
                    "person": each["approver"],
                    "role": each["role"],
                    "on_behalf_of": each["on_behalf_of"],
                    "reason": each["reason"],
                    "decided_at": each["decided_at"].isoformat(),
                    "signed_with": each["key_id"],
                    "revoked": each["revoked"],
                }
                for each in self.decisions
            ],
            "steps": [
                {
                    "step": each["step"],
                    "person": each["person"],
                    "to": each["to_person"],
                    "role": each["role"],
                    "reason": each["reason"],
                    "at": each["at"].isoformat(),
                }
                for each in self.steps
            ],
        }


def lock_approvals(connection: Connection, tenant: TenantId) -> None:
    """Let no other transaction ask, decide, take back or use in this tenant until this one ends."""
    connection.execute("SELECT app.lock('approvals of', %s)", (tenant,))


def requests_of(
    connection: Connection,
    tenant: TenantId,
    now: datetime,
    *,
    operation: Operation | None = None,
    digest: Sha256 | None = None,
    request: str | None = None,
) -> list[RecordedRequest]:
    """The tenant's requests in the order in which they were made, as they stand at `now`."""
    rows = connection.execute(
        """
        SELECT * FROM runtime.approval_requests
         WHERE tenant_id = %(tenant)s
           AND (%(operation)s::text IS NULL OR subject = %(operation)s)
           AND (%(digest)s::text IS NULL OR subject_digest = %(digest)s)
           AND (%(request)s::text IS NULL OR id::text = %(request)s)
         ORDER BY number
        """,
        {"tenant": tenant, "operation": operation and str(operation), "digest": digest, "request": request},
    ).fetchall()
    ids = [row["id"] for row in rows]
    steps, decisions = defaultdict(list), defaultdict(list)
    for step in connection.execute(
        "SELECT * FROM runtime.approval_steps WHERE tenant_id = %s AND request_id = ANY(%s) ORDER BY number",
        (tenant, ids),
    ):
        steps[step["request_id"]].append(step)
    for decision in connection.execute(
        "SELECT * FROM runtime.approvals WHERE tenant_id = %s AND request_id = ANY(%s) ORDER BY decided_at, id",
        (tenant, ids),
    ):
        revoked = any(step["approval_id"] == decision["id"] for step in steps[decision["request_id"]])
        decisions[decision["request_id"]].append({**decision, "revoked": revoked})
    return [_recorded(tenant, row, decisions[row["id"]], steps[row["id"]], now) for row in rows]


def one_request(connection: Connection, tenant: TenantId, request: str, now: datetime) -> RecordedRequest:
    """One request. Raises NotFoundError."""
    for recorded in requests_of(connection, tenant, now, request=request):
        return recorded
    raise NotFoundError(
        "There is no such approval request in this tenant",
        where=f"{tenant}, request",
        remedy="`tenant-pipeline approval list` shows them.",
    )


def _recorded(
    tenant: TenantId, row: dict[str, Any], decisions: list[dict[str, Any]], steps: list[dict[str, Any]], now: datetime
) -> RecordedRequest:
    request = ApprovalRequest(
        id=str(row["id"]),
        gate=ApprovalGate(row["gate"]),
        subject_digest=Sha256(row["subject_digest"]),
        needs=tuple(frozenset(need) for need in row["needs"]),
        requested_by=row["requested_by"],
        requested_at=row["requested_at"],
        due_at=row["due_at"],
        expires_at=row["expires_at"],
    )
    done = {step["step"] for step in steps}
    return RecordedRequest(
        tenant=tenant,
        request=request,
        operation=Operation(row["subject"]),
        content=row["content"],
        reason=row["reason"],
        decisions=tuple(decisions),
        steps=tuple(steps),
        standing=standing(
            request,
            [
                ApprovalDecision(
                    str(each["id"]),
                    each["approver"],
                    each["role"],
                    each["decision"] == "approve",
                    each["decided_at"],
                    each["revoked"],
                    each["on_behalf_of"],
                )
                for each in decisions
            ],
            now=now,
            withdrawn="withdrawn" in done,
            used="used" in done,
        ),
    )

"""What waits for whom, and what has waited too long."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from tenant_pipeline.core.approval.standing import Need, RequestState, match_people, roles_of
from tenant_pipeline.core.persons import is_same_person
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.approvals.records import RecordedRequest, lock_approvals, requests_of
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import bound_waiting

_log = logging.getLogger(__name__)

ESCALATION = PLATFORM_ROLES
"""Whom a breach is taken to: the first at the breach, the next after as much time again as the SLA gave."""


def list_requests(
    runtime: Runtime,
    tenant: TenantId,
    *,
    role: str | None = None,
    person: str | None = None,
    with_escalated: bool = False,
    waiting_only: bool = False,
) -> list[RecordedRequest]:
    """The tenant's requests, the next due first: of a role that is still missing, or that a person may decide on.

    `with_escalated` adds what has waited too long and was taken to a role of the person's: it is theirs to see that
    somebody decides, whether or not they may themselves.
    """
    with runtime.database.platform() as connection:
        recorded = requests_of(connection, tenant, runtime.now())
        held = {
            row["role"]
            for row in connection.execute(
                "SELECT role FROM runtime.tenant_user_roles WHERE tenant_id = %s AND person = %s", (tenant, person)
            )
        }
    wanted = [
        each
        for each in recorded
        if (not waiting_only or each.standing.state is RequestState.WAITING)
        and (role is None or role in roles_of(each.standing.missing))
        and (person is None or _may_decide(each, person, held) or (with_escalated and _was_taken_to(each, held)))
    ]
    return sorted(wanted, key=lambda each: (each.request.due_at, each.request.id))


def escalate_breaches(runtime: Runtime) -> list[RecordedRequest]:
    """Take each request that has waited too long to the next in line, once, and return those. Audited.

    Nothing is ever approved by the passing of time. What keeps one tenant's from being escalated is logged, and keeps
    no other's.
    """
    now = runtime.now()
    with runtime.database.platform() as connection:
        tenants = [
            TenantId(row["tenant_id"])
            for row in connection.execute(
                """
                SELECT DISTINCT tenant_id FROM runtime.approval_requests AS request
                 WHERE due_at < %s AND expires_at > %s
                   AND NOT EXISTS (SELECT FROM runtime.approval_steps AS step
                                    WHERE step.tenant_id = request.tenant_id AND step.request_id = request.id
                                      AND step.step IN ('used', 'withdrawn'))
                """,
                (now, now),
            )
        ]
    escalated: list[RecordedRequest] = []
    for tenant in tenants:
        try:
            escalated += _escalate(runtime, tenant, now)
        except Exception as error:
            _log.warning("escalated later: %s", type(error).__name__, extra={"fields": {"tenant": tenant}})
    return escalated


def _escalate(runtime: Runtime, tenant: TenantId, now: datetime) -> list[RecordedRequest]:
    escalated = []
    with runtime.database.platform() as connection:
        bound_waiting(connection)
        lock_approvals(connection, tenant)
        for each in requests_of(connection, tenant, now):
            to = _next_in_line(each, runtime)
            if to is None:
                continue
            connection.execute(
                """
                INSERT INTO runtime.approval_steps (tenant_id, request_id, step, person, to_person, reason)
                VALUES (%s, %s, 'escalated', 'sla-clock', %s, 'Waited longer than the SLA allows')
                """,
                (tenant, each.request.id, to),
            )
            details = {"gate": str(each.request.gate), "to": to, "due_at": each.request.due_at.isoformat()}
            entry = AuditEntry(actor="sla-clock", action="approval.escalated", subject=each.request.id, details=details)
            runtime.audit.append(connection, tenant, [entry])
            escalated.append(each)
    return escalated


def _may_decide(recorded: RecordedRequest, person: str, held: set[str]) -> bool:
    """Whether the person may still give a decision that is missing."""
    if is_same_person(person, recorded.request.requested_by) or recorded.standing.state is not RequestState.WAITING:
        return False
    if any(each["approver"] == person for each in recorded.decisions):
        return False
    delegated = {step["role"] for step in recorded.steps if step["step"] == "delegated" and step["to_person"] == person}
    return bool((held | delegated) & set(roles_of(recorded.standing.missing)))


def needs_nobody_can_meet(recorded: RecordedRequest, held: Mapping[str, frozenset[str]]) -> tuple[Need, ...]:
    """Of the needs of a request that waits, those that none of the people can meet by the roles that each has.

    Each need takes another person; not the one who asked, nor who has decided before, unless somebody speaks for them.
    """
    if recorded.standing.state is not RequestState.WAITING:
        return ()
    spoken = {each["approver"] for each in recorded.decisions}
    standing = {each["on_behalf_of"] or each["approver"] for each in recorded.decisions if not each["revoked"]}
    handed_on = {
        (step["person"], step["role"])
        for step in recorded.steps
        if step["step"] == "delegated" and step["to_person"] not in spoken
    }
    can_give = [
        frozenset(role for role in roles if person not in spoken or (person, role) in handed_on)
        for person, roles in held.items()
        if not is_same_person(person, recorded.request.requested_by) and person not in standing
    ]
    return match_people(recorded.standing.missing, can_give)[1]


def _was_taken_to(recorded: RecordedRequest, held: set[str]) -> bool:
    return recorded.standing.state is RequestState.WAITING and bool(held & set(recorded.escalated_to))


def _next_in_line(recorded: RecordedRequest, runtime: Runtime) -> str | None:
    if not recorded.standing.breached:
        return None
    done = recorded.escalated_to
    if not done:
        return ESCALATION[0]
    allowed = recorded.request.due_at - recorded.request.requested_at
    if len(done) < len(ESCALATION) and runtime.now() > recorded.request.due_at + allowed:
        return ESCALATION[len(done)]
    return None

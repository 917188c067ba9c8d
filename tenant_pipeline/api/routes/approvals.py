"""The queue of what waits for whom, and every word that people say about a request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, StringConstraints

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.once import OnceOnly
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import Digest, Line, OptionalReason, Reason, RoleName
from tenant_pipeline.core.approval.signature import from_base64
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.services.approvals import handing_over
from tenant_pipeline.services.approvals.deciding import decide
from tenant_pipeline.services.approvals.queue import list_requests
from tenant_pipeline.services.approvals.records import RecordedRequest, one_request

router = APIRouter(prefix="/api/tenant/{tenant}/approvals", tags=["approvals"], route_class=ConditionalRoute)


class Request(BaseModel):
    """A request for approval: exactly what is asked for, its digest, its clock, and every word that was said."""

    id: str
    gate: str
    operation: str
    digest: str
    content: dict[str, Any]
    state: str
    waits_for: list[list[str]]
    requested_by: str
    reason: str
    requested_at: str
    due_at: str
    expires_at: str
    breached: bool
    escalated_to: list[str]
    assigned_to: dict[str, str]
    decisions: list[dict[str, Any]]
    steps: list[dict[str, Any]]


class Requests(BaseModel):
    """Requests, the next due first."""

    requests: list[Request]


class Decision(BaseModel):
    """One person's word in one role, on exactly the digest that they were shown."""

    digest: Digest
    approves: bool
    role: RoleName
    reason: OptionalReason = ""
    signature: Annotated[str, StringConstraints(max_length=200)] | None = None


class Assignment(BaseModel):
    """Who is to decide in a role; named by you, in a role of yours."""

    role: RoleName
    to: Line
    own_role: RoleName


class Delegation(BaseModel):
    """To whom a decision of one's own is handed, and why."""

    role: RoleName
    to: Line
    reason: Reason


class Revocation(BaseModel):
    """A decision that is taken back before it is used."""

    decision: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{32,36}$")]
    role: RoleName
    reason: Reason


class Withdrawal(BaseModel):
    """Why a request of one's own is taken back."""

    reason: Reason


RequestPath = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{32,36}$")]


def shown(recorded: RecordedRequest) -> Request:
    """A recorded request as the interface gives it."""
    waiting = {role for need in recorded.standing.missing for role in need}
    assigned = {role: person for role in sorted(waiting) if (person := recorded.assigned_to(role))}
    return Request.model_validate({**recorded.as_json(), "assigned_to": assigned})


def asked(recorded: Iterable[RecordedRequest]) -> Requests:
    """What was asked for, as the interface gives it."""
    return Requests(requests=[shown(each) for each in recorded])


@router.get("")
def requests(
    caller: CallerOf,
    runtime: RuntimeOf,
    whose: Annotated[
        Literal["all", "mine"], Query(description="`mine`: what you may decide, or was taken to you.")
    ] = "all",
    waiting: Annotated[bool, Query(description="Only what waits.")] = False,
) -> Requests:
    """The tenant's requests."""
    person = caller.person if whose == "mine" else None
    return asked(list_requests(runtime, caller.tenant, person=person, with_escalated=True, waiting_only=waiting))


@router.get("/{request}")
def request(request: RequestPath, caller: CallerOf, runtime: RuntimeOf) -> Request:
    """One request."""
    with runtime.database.platform() as connection:
        return shown(one_request(connection, caller.tenant, request, runtime.now()))


@router.post("/{request}/decision")
def decision(request: RequestPath, said: Decision, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Request:
    """Approve or reject, in a role that you hold or were delegated. It is you who signs: the token says who."""

    def act() -> Request:
        return shown(
            decide(
                runtime,
                caller.tenant,
                request,
                digest=Sha256(said.digest),
                approves=said.approves,
                person=caller.person,
                role=said.role,
                reason=said.reason,
                signature=from_base64(said.signature, "signature") if said.signature else None,
            )
        )

    return once.answer(caller, act)


@router.post("/{request}/assignment")
def assign(request: RequestPath, said: Assignment, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Request:
    """Name who is to decide in a role."""
    return once.answer(
        caller,
        lambda: shown(
            handing_over.assign(
                runtime,
                caller.tenant,
                request,
                role=said.role,
                to=said.to,
                person=caller.person,
                person_role=said.own_role,
            )
        ),
    )


@router.post("/{request}/delegation")
def delegate(request: RequestPath, said: Delegation, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Request:
    """Hand your decision to somebody else. The founder's is nobody else's to give."""
    return once.answer(
        caller,
        lambda: shown(
            handing_over.delegate(
                runtime, caller.tenant, request, role=said.role, to=said.to, person=caller.person, reason=said.reason
            )
        ),
    )


@router.post("/{request}/revocation")
def revoke(request: RequestPath, said: Revocation, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Request:
    """Take a decision back before it is used."""
    return once.answer(
        caller,
        lambda: shown(
            handing_over.revoke(
                runtime,
                caller.tenant,
                request,
                approval=said.decision,
                person=caller.person,
                role=said.role,
                reason=said.reason,
            )
        ),
    )


@router.post("/{request}/withdrawal")
def withdraw(request: RequestPath, said: Withdrawal, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Request:
    """Take back a request of your own."""
    return once.answer(
        caller,
        lambda: shown(handing_over.withdraw(runtime, caller.tenant, request, person=caller.person, reason=said.reason)),
    )

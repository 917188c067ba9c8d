"""The tenant's state: the ways out of it, who takes them, and what was taken when, by whom and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.callers import Caller
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.once import OnceOnly
from tenant_pipeline.api.routes.approvals import Requests, asked
from tenant_pipeline.api.routes.publishing import ASKING_ROLES
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import OptionalReason, Reason, RoleName
from tenant_pipeline.core.lifecycle import OUT_OF_SERVICE, TenantState
from tenant_pipeline.core.rows import row_as_json
from tenant_pipeline.services import lifecycle, registry
from tenant_pipeline.services.going_live.conditions import Condition, conditions_of
from tenant_pipeline.services.penetration_tests import latest_whole_test
from tenant_pipeline.services.runtime import Runtime

router = APIRouter(prefix="/api/tenant/{tenant}", tags=["lifecycle"], route_class=ConditionalRoute)


class Way(BaseModel):
    """A way out of the state. One with a gate takes its approvals; any other takes a person in one of the roles."""

    to: str
    gate: str | None
    rolls_back: bool
    roles: list[str]


class FoundCondition(BaseModel):
    """A condition of going to pilot or live, and why it is not met; met where nothing keeps it from being."""

    condition: Condition
    met: bool
    why_not: list[str]


class PenetrationTest(BaseModel):
    """The newest test of all forms of attack: who made it when, of what, and what came of it."""

    number: int
    at: datetime
    person: str
    code_version: str
    schema_revision: str
    forms: int
    attempts: int
    came_through: int
    not_tried: int
    report_digest: str


class InstanceLeft(BaseModel):
    """What the step has left undone about the tenant's instance: to whom, and why."""

    to: Literal["clock", "backend", "request"] = Field(
        description="The clock tries again by itself; the backend brings it up; a request asks for what has changed."
    )
    why: str


class States(BaseModel):
    """The state the tenant is in, the ways out of it, what they take beside approvals, and every change of it."""

    state: str
    ways: list[Way]
    conditions: list[FoundCondition] = Field(
        description="Of going to pilot (isolation-tested) and live (all of them), as the tenant stands now."
    )
    penetration_test: PenetrationTest | None
    transitions: list[dict[str, Any]] = Field(description="From, to, by whom, why, and the approvals it rests on.")
    instance_left: InstanceLeft | None = Field(
        description="Told with a step that was taken, and does not have the instance as the state has it yet."
    )


class Step(BaseModel):
    """A state back, out of service, or back into service with the approvals given for it."""

    to: TenantState
    reason: Reason
    role: RoleName | None = Field(None, description="In which of your roles; the first that may, without it.")


class Return(BaseModel):
    """Why a suspended tenant should be live again."""

    reason: OptionalReason = ""


@router.get("/transitions")
def transitions(caller: CallerOf, runtime: RuntimeOf) -> States:
    """The tenant's state, the ways out of it, and every change of it."""
    return _states(runtime, caller)


@router.post("/transitions")
def step(wanted: Step, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> States:
    """Take the tenant a state back, suspend it or archive it; or take it live again once all have signed."""
    steering = wanted.to in OUT_OF_SERVICE
    role = caller.acting_as(wanted.role, lifecycle.STEERING_ROLES if steering else lifecycle.BACKWARD_ROLES)

    def act() -> States:
        if wanted.to is TenantState.LIVE:
            changed = lifecycle.return_to_service(runtime, caller.tenant, person=caller.person)
        else:
            changed = lifecycle.step_back(
                runtime, caller.tenant, wanted.to, person=caller.person, role=role, reason=wanted.reason
            )
        return _states(runtime, caller, changed.instance_left)

    return once.answer(caller, act)


@router.post("/return", status_code=202)
def ask_to_return(wanted: Return, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Requests:
    """Ask for the approvals that taking a suspended tenant live again takes."""
    caller.require(ASKING_ROLES)

    def act() -> Requests:
        return asked(lifecycle.request_return(runtime, caller.tenant, requested_by=caller.person, reason=wanted.reason))

    return once.answer(caller, act, 202)


def _states(runtime: Runtime, caller: Caller, left: lifecycle.InstanceLeft | None = None) -> States:
    state = TenantState(registry.show_tenant(runtime, caller.tenant)["status"])
    ways = [
        Way(to=way.to_state, gate=way.gate, rolls_back=way.rolls_back, roles=list(roles))
        for way, roles in lifecycle.ways_from(runtime, state)
    ]
    rows = [row_as_json(row) for row in lifecycle.transitions_of(runtime, caller.tenant)]
    with runtime.database.platform() as connection:
        found = conditions_of(runtime, connection, caller.tenant, exact=False)
        test = latest_whole_test(connection)
    conditions = [
        FoundCondition(condition=each.condition, met=not each.why_not, why_not=list(each.why_not)) for each in found
    ]
    counts = {} if test is None else {name: len(test[name]) for name in ("came_through", "not_tried")}
    return States(
        state=state,
        ways=ways,
        conditions=conditions,
        penetration_test=None if test is None else PenetrationTest(**{**test, **counts}),
        transitions=rows,
        instance_left=None if left is None else InstanceLeft(to=left.to, why=left.why),
    )

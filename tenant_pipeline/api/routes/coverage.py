"""The coverage score of a tenant or of one of its sources, and governance's overrides of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.callers import Caller
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.language import Telling
from tenant_pipeline.api.once import OnceOnly
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import SOURCE_ID, AnyTime, Identifier, Line, Reason
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.sentences.reading import Tell, in_english
from tenant_pipeline.core.tenancy import source_id
from tenant_pipeline.services.coverage import reading
from tenant_pipeline.services.coverage.overrides import give_override, withdraw_override
from tenant_pipeline.services.gates import OVERRIDE_ROLES
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import get_source

router = APIRouter(prefix="/api/tenant/{tenant}/coverage", tags=["coverage"], route_class=ConditionalRoute)

SourceQuery = Annotated[str | None, Query(pattern=SOURCE_ID, description="Only this source.")]


class Override(BaseModel):
    """A dimension counts as at least `floor` until it expires."""

    floor: str
    reason: str
    approver: str
    role: str
    expires_at: str


class Dimension(BaseModel):
    """A dimension's score, 0-1 (none where there was nothing to judge), its band, and what it counts as.

    `overridable` says whether the contract lets anybody answer for it.
    """

    dimension: str
    band: str
    counts_as: str
    score: float | None
    numerator: int
    denominator: int
    pass_at: float
    warn_at: float
    blocking: bool
    overridable: bool
    explanation: str
    needed_for_next_band: int | None
    next_band: str | None
    override: Override | None


class Lift(BaseModel):
    """What would lift a dimension: what this entity lacks, by how much it would help, and where it is from."""

    subject: str
    label: str
    lacks: str
    gain: int
    source: str
    locator: str


class ExplainedDimension(Dimension):
    """A dimension with what it lacks."""

    groups: list[str]
    lifts: list[Lift]


OutdatedSince = Annotated[
    AwareDatetime | None,
    Field(description="When this was counted, if the knowledge base has changed since: a large one is counted later."),
]


class Coverage(BaseModel):
    """The dimensions in the contract's order, and whether the tenant is green: going live waits for that."""

    dimensions: list[Dimension]
    green: bool
    reasons: list[str]
    outdated_since: OutdatedSince


class Explanation(BaseModel):
    """The dimensions, each with what would lift it most."""

    dimensions: list[ExplainedDimension]
    outdated_since: OutdatedSince


class OverrideRequest(BaseModel):
    """An override, in the approver's name; `requested_by` is somebody else."""

    floor: Literal["warn", "pass"]
    reason: Reason
    requested_by: Line
    expires_at: AnyTime


class Withdrawal(BaseModel):
    """Why an override ends before its time."""

    reason: Reason


@router.get("")
def coverage(caller: CallerOf, runtime: RuntimeOf, tell: Telling, source: SourceQuery = None) -> Coverage:
    """The score per dimension, with its band: pass, warn, fail, or not assessed."""
    return _coverage(runtime, caller, source, tell)


@router.get("/explanation")
def explanation(caller: CallerOf, runtime: RuntimeOf, tell: Telling, source: SourceQuery = None) -> Explanation:
    """What each dimension lacks, and the entities that would lift it most."""
    _require_source(runtime, caller, source)
    of = source_id(source) if source else None
    explained = reading.explain_coverage(runtime, caller.tenant, of, exact=False)
    rows: list[dict[str, Any]] = [{**each.as_json(tell), **lacks.as_json(tell)} for each, lacks in explained]
    lacking = [each.dimension.id for each, _ in explained if each.lacks]
    outdated = reading.coverage_outdated_since(runtime, caller.tenant, of, explained=lacking)
    return Explanation.model_validate({"dimensions": rows, "outdated_since": outdated})


@router.post("/{dimension}/override")
def override(
    dimension: Identifier, wanted: OverrideRequest, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly
) -> Coverage:
    """Let a dimension count as better than it is until a time. Governance's to give, never to oneself."""
    role = caller.require(OVERRIDE_ROLES)

    def act() -> Coverage:
        give_override(
            runtime,
            caller.tenant,
            dimension,
            floor=Band(wanted.floor),
            reason=wanted.reason,
            approver=caller.person,
            role=role,
            requested_by=wanted.requested_by,
            expires_at=wanted.expires_at,
        )
        return _coverage(runtime, caller, None)

    return once.answer(caller, act)


@router.post("/{dimension}/override/withdraw")
def withdraw(
    dimension: Identifier, wanted: Withdrawal, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly
) -> Coverage:
    """End an override before its time."""
    role = caller.require(OVERRIDE_ROLES)

    def act() -> Coverage:
        withdraw_override(runtime, caller.tenant, dimension, reason=wanted.reason, person=caller.person, role=role)
        return _coverage(runtime, caller, None)

    return once.answer(caller, act)


def _coverage(runtime: Runtime, caller: Caller, source: str | None, tell: Tell = in_english) -> Coverage:
    _require_source(runtime, caller, source)
    of = source_id(source) if source else None
    found = reading.read_coverage(runtime, caller.tenant, of, exact=False)
    verdict = reading.verdict_of_tenant(runtime, caller.tenant, exact=False)
    return Coverage(
        dimensions=[Dimension.model_validate(each.as_json(tell)) for each in found],
        green=verdict.green,
        reasons=[tell(reason) for reason in verdict.reasons],
        outdated_since=reading.coverage_outdated_since(runtime, caller.tenant),
    )


def _require_source(runtime: Runtime, caller: Caller, source: str | None) -> None:
    if source is not None:
        with runtime.database.tenant(caller.tenant) as connection:
            get_source(connection, caller.tenant, source_id(source))

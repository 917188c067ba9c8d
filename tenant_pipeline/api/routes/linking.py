"""Pairs that linking could not decide: explained, judged yes, no or unsure, and every judgement reversible."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, StringConstraints

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.language import Telling
from tenant_pipeline.api.once import OnceOnly
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import Identifier, Limit, Reason, RoleName
from tenant_pipeline.linking.score import Match
from tenant_pipeline.services import judgements
from tenant_pipeline.services.link_explanations import as_told, show_pair

router = APIRouter(prefix="/api/tenant/{tenant}/links", tags=["linking"], route_class=ConditionalRoute)

EntityId = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:-]+$")]


class Pairs(BaseModel):
    """Pairs, each with the parts of its score; and the roles that may judge them."""

    pairs: list[dict[str, Any]]
    who_may_judge: list[str]


class Judgement(BaseModel):
    """Whether two entities are the same."""

    left: EntityId
    right: EntityId
    judgement: Literal["same", "different", "unsure"]
    role: RoleName
    reason: Reason


class Reversal(BaseModel):
    """Why a judgement is taken back."""

    role: RoleName
    reason: Reason


@router.get("")
def pairs(
    caller: CallerOf,
    runtime: RuntimeOf,
    tell: Telling,
    status: Literal["proposed", "decided"] = "proposed",
    limit: Limit = 50,
) -> Pairs:
    """The pairs that wait for a person, or those that were decided."""
    found = judgements.list_pairs(runtime, caller.tenant, status=status, limit=limit)
    return Pairs(
        pairs=[{**each, "explanation": as_told(each["explanation"], tell)} for each in found],
        who_may_judge=list(judgements.reviewer_roles(runtime)),
    )


@router.get("/history")
def history(caller: CallerOf, runtime: RuntimeOf) -> Pairs:
    """All that was ever judged, in order."""
    return Pairs(
        pairs=judgements.history(runtime, caller.tenant), who_may_judge=list(judgements.reviewer_roles(runtime))
    )


@router.get("/pairs/{pair}")
def one_pair(pair: Identifier, caller: CallerOf, runtime: RuntimeOf, tell: Telling) -> dict[str, Any]:
    """Why two entities may be the same: the parts of the score, side by side."""
    return show_pair(runtime, caller.tenant, pair, tell)


@router.post("/judgement")
def judge(said: Judgement, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> dict[str, Any]:
    """Judge a pair."""

    def act() -> dict[str, Any]:
        return judgements.judge(
            runtime,
            caller.tenant,
            said.left,
            said.right,
            Match(said.judgement),
            person=caller.person,
            role=said.role,
            reason=said.reason,
        ).as_json()

    return once.answer(caller, act)


@router.post("/history/{sequence}/reversal")
def reverse(
    sequence: Annotated[int, Path(ge=1, le=2**62)],
    said: Reversal,
    caller: CallerOf,
    runtime: RuntimeOf,
    once: OnceOnly,
) -> dict[str, Any]:
    """Put a pair back to what stood before a judgement."""
    return once.answer(
        caller,
        lambda: judgements.reverse(
            runtime, caller.tenant, sequence, person=caller.person, role=said.role, reason=said.reason
        ).as_json(),
    )

"""How an approval request stands: derived from its records each time, and nowhere stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tenant_pipeline.core.approval.operation import ApprovalGate
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.persons import is_same_person

Need = frozenset[str]
"""Roles of which one has to approve."""


@dataclass(frozen=True)
class ApprovalRequest:
    """A person asks that a gate lets exactly this digest pass."""

    id: str
    gate: ApprovalGate
    subject_digest: Sha256
    needs: tuple[Need, ...]
    requested_by: str
    requested_at: datetime
    due_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class ApprovalDecision:
    """One person's word in one role, their own or one that was handed to them.

    `revoked` says whether it was taken back before it was used.
    """

    id: str
    approver: str
    role: str
    approves: bool
    decided_at: datetime
    revoked: bool = False
    on_behalf_of: str | None = None

    @property
    def whose(self) -> str:
        """The person whose word it is, whoever spoke it."""
        return self.on_behalf_of or self.approver


class RequestState(StrEnum):
    """The states of a request. Only APPROVED opens its gate, and only once: then it is USED."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    USED = "used"


@dataclass(frozen=True)
class Standing:
    """A request's state, the needs that nobody has met yet, and the decisions that meet the others."""

    state: RequestState
    missing: tuple[Need, ...]
    met_by: tuple[ApprovalDecision, ...]
    breached: bool
    """Whether it still waits although its time for an answer has passed. A breach escalates; it never approves."""


def standing(
    request: ApprovalRequest,
    decisions: Sequence[ApprovalDecision],
    *,
    now: datetime,
    withdrawn: bool = False,
    used: bool = False,
) -> Standing:
    """How the request stands at `now`.

    One rejection that stands refuses the request. Each need takes the word of another person; the requester's own
    never counts, nor does one that was spoken for them. What was used stays used, whatever comes after.
    """
    standing_decisions = [
        each
        for each in decisions
        if not each.revoked
        and not any(is_same_person(request.requested_by, one) for one in (each.approver, each.whose))
    ]
    met_by, missing = _meet(request.needs, [each for each in standing_decisions if each.approves])
    if used:
        state = RequestState.USED
    elif withdrawn:
        state = RequestState.WITHDRAWN
    elif any(not each.approves for each in standing_decisions):
        state = RequestState.REJECTED
    elif now >= request.expires_at:
        state = RequestState.EXPIRED
    else:
        state = RequestState.WAITING if missing else RequestState.APPROVED
    breached = state is RequestState.WAITING and now > request.due_at
    return Standing(state, missing, met_by, breached)


def _meet(
    needs: Sequence[Need], approvals: Sequence[ApprovalDecision]
) -> tuple[tuple[ApprovalDecision, ...], tuple[Need, ...]]:
    """Who meets which need, one word of each person."""
    people = list({each.whose: each for each in approvals}.values())
    met_by, missing = match_people(needs, [frozenset({each.role}) for each in people])
    return tuple(people[index] for index in met_by), missing


def match_people(needs: Sequence[Need], held: Sequence[Collection[str]]) -> tuple[tuple[int, ...], tuple[Need, ...]]:
    """Meet as many needs as can be, each by another person, whose roles are in `held`; who does, and what is left.

    A maximum matching by augmenting paths (Kuhn 1955), so that no order of people matters.
    """
    need_of: dict[int, int] = {}

    def assign(need: int, tried: set[int]) -> bool:
        for index, roles in enumerate(held):
            if index not in tried and not needs[need].isdisjoint(roles):
                tried.add(index)
                if index not in need_of or assign(need_of[index], tried):
                    need_of[index] = need
                    return True
        return False

    missing = tuple(need for index, need in enumerate(needs) if not assign(index, set()))
    return tuple(sorted(need_of)), missing


def roles_of(needs: Collection[Need]) -> tuple[str, ...]:
    """Every role that may still decide, in order."""
    return tuple(sorted({role for need in needs for role in need}))

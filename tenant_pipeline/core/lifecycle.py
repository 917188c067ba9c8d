"""The states of a tenant and the ways between them, as the contract draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tenant_pipeline.core.approval.operation import ApprovalGate
from tenant_pipeline.core.errors import InputError


class TenantState(StrEnum):
    """draft → review → pilot → live, and out of service for a while or for good."""

    DRAFT = "draft"
    REVIEW = "review"
    PILOT = "pilot"
    LIVE = "live"
    SUSPENDED = "suspended"
    ARCHIVED = "archived"


OUT_OF_SERVICE = (TenantState.SUSPENDED, TenantState.ARCHIVED)
"""The states in which a tenant takes nothing in and publishes nothing."""


@dataclass(frozen=True)
class Transition:
    """One way between two states. `gate` has to be passed; `rolls_back` marks a way back, which only needs a reason."""

    from_state: TenantState
    to_state: TenantState
    gate: ApprovalGate | None
    rolls_back: bool


class TransitionRefusedError(InputError):
    """The tenant is not in a state from which that one can be reached, or what the state asks for is missing."""

    code = "transition-refused"


def transition_between(transitions: Sequence[Transition], now: TenantState, to: TenantState) -> Transition:
    """The way from one state to another. Raises TransitionRefusedError naming the states that can be reached."""
    for each in transitions:
        if (each.from_state, each.to_state) == (now, to):
            return each
    reachable = ", ".join(each.to_state for each in transitions if each.from_state is now) or "no other state"
    raise TransitionRefusedError(
        f"A tenant that is {now} cannot become {to}",
        where="tenant state",
        remedy=f"From here it can reach {reachable}.",
    )

"""The states of a tenant and the ways between them, as the contract draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tenant_pipeline.core.approval.operation import ApprovalGate, Operation
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
"""The states in which a tenant takes nothing in, publishes nothing and is listed nowhere."""

SERVING = (TenantState.PILOT, TenantState.LIVE)
"""The states in which a tenant's instance stands. In the others it rests."""

_IN_SERVICE = tuple(state for state in TenantState if state not in OUT_OF_SERVICE)
FITTING: Mapping[Operation, tuple[TenantState, ...]] = {
    Operation.RELEASE: _IN_SERVICE,
    Operation.ROLLBACK: _IN_SERVICE,
    Operation.INSTANCE: (TenantState.REVIEW, *SERVING),
    Operation.LISTING: (TenantState.LIVE,),
    Operation.LIFECYCLE: (TenantState.SUSPENDED,),
}
"""The states in which an operation may be asked for, decided on and done."""


GATED_WAYS: Mapping[tuple[TenantState, TenantState], ApprovalGate] = {
    (TenantState.DRAFT, TenantState.REVIEW): ApprovalGate.REVIEW,
    (TenantState.REVIEW, TenantState.PILOT): ApprovalGate.TENANT_INSTANTIATE,
    (TenantState.PILOT, TenantState.LIVE): ApprovalGate.GO_LIVE,
    (TenantState.SUSPENDED, TenantState.LIVE): ApprovalGate.GO_LIVE,
}
"""The ways that approvals take a tenant, each with its gate. There is no other forward."""


def goes_forward(now: TenantState, to: TenantState) -> bool:
    """Whether a step brings a tenant further or back into service, which no person does alone."""
    if now is TenantState.ARCHIVED or now is to:
        return True
    order = list(TenantState)
    return to not in OUT_OF_SERVICE and (now in OUT_OF_SERVICE or order.index(to) > order.index(now))


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


class StateForbidsError(InputError):
    """The state that the tenant is in does not allow it. What was approved for it stays unused."""

    code = "tenant-state"


def require_fitting(operation: Operation, state: TenantState, *, where: str) -> None:
    """Return where a tenant in this state may have the operation. Raises StateForbidsError saying what leads on."""
    if state not in FITTING[operation]:
        raise StateForbidsError(f"The tenant is {state}: no {operation} now", where=where, remedy=_way_on(state))


def require_in_service(state: TenantState, *, where: str) -> None:
    """Return where a tenant in this state takes in and publishes. Raises StateForbidsError."""
    if state in OUT_OF_SERVICE:
        raise StateForbidsError(f"The tenant is {state}", where=where, remedy=_way_on(state))


def _way_on(state: TenantState) -> str:
    return {
        TenantState.DRAFT: "Ask for a release first: publishing it takes the tenant to review.",
        TenantState.REVIEW: "Ask for the tenant's instance first: bringing it up takes the tenant on.",
        TenantState.PILOT: "Take it live first: mend what kept it, then `tenant-pipeline instance request` asks anew.",
        TenantState.LIVE: "Only a suspended tenant returns.",
        TenantState.SUSPENDED: "What it has is kept; `tenant-pipeline tenant return --request` asks for its return.",
        TenantState.ARCHIVED: "What it has is kept; an archived tenant does not come back.",
    }[state]


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

"""Why a decision about a conflict is refused: each names what changed or who was first, and what to do."""

from __future__ import annotations

from tenant_pipeline.core.errors import InputError, NotAllowedError


class DecisionOutdatedError(InputError):
    """What was to be signed is no longer what is there: the candidates, their rules or the list have changed."""

    code = "decision-outdated"


class AlreadyDecidedError(InputError):
    """Somebody else has signed this item, exactly as it is."""

    code = "already-decided"


class NotEntitledError(NotAllowedError):
    """The person has the role, but may not take this decision: it was asked for by them."""

    code = "not-entitled"

"""Why a decision about a conflict is refused: each names what changed or who was first, and what to do."""

from __future__ import annotations

from tenant_pipeline.core.errors import InputError


class DecisionOutdatedError(InputError):
    """What was to be signed is no longer what is there: the candidates, their rules or the list have changed."""

    code = "decision-outdated"


class AlreadyDecidedError(InputError):
    """Somebody else has signed this item, exactly as it is."""

    code = "already-decided"


class NotEntitledError(InputError):
    """The person, in this role, may not take this decision."""

    code = "not-entitled"

"""What is done with each type of personal data, in which field, and when the PII gate closes."""

from __future__ import annotations

from enum import StrEnum

from tenant_pipeline.core.contract_terms import PiiPolicy
from tenant_pipeline.core.errors import ContractError


class Action(StrEnum):
    """What becomes of a found value, from the loosest to the strictest."""

    ALLOW = "allow"
    HASH = "hash"
    MASK = "mask"
    DROP = "drop"
    QUARANTINE = "quarantine"

    @property
    def strictness(self) -> int:
        """0 for what leaves a value as it is, higher for what leaves less of the record."""
        return _STRICTNESS[self]


_STRICTNESS = {action: position for position, action in enumerate(Action)}


def action_for(policy: PiiPolicy, entity_type: str) -> Action:
    """The action for an entity type wherever no field's rule says another. Raises ContractError for an unknown one."""
    return action_named(policy.actions.get(entity_type, policy.default_action), entity_type)


def action_named(name: str, of: str) -> Action:
    """The Action of that name. Raises ContractError when the contract names one that does not exist."""
    try:
        return Action(name)
    except ValueError:
        raise ContractError(f"The PII policy has no action {name}", where=f"PII policy, {of}") from None

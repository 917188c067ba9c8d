"""What is done with each type of personal data, and when the PII gate closes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from tenant_pipeline.core.errors import ContractError


class Action(StrEnum):
    """What becomes of a found value."""

    ALLOW = "allow"
    HASH = "hash"
    MASK = "mask"
    DROP = "drop"
    QUARANTINE = "quarantine"


class PiiPolicy(Protocol):
    """The contract's rules for personal data.

    `actions` maps entity types to an Action's name, `default_action` holds for the rest. The gate fails when more
    than `quarantined_share_fail` (0–1) of the records are withheld, or when something is found, `requires_agreement`
    holds and the tenant has signed none.
    """

    @property
    def actions(self) -> Mapping[str, str]: ...

    @property
    def default_action(self) -> str: ...

    @property
    def quarantined_share_fail(self) -> float: ...

    @property
    def requires_agreement(self) -> bool: ...


def action_for(policy: PiiPolicy, entity_type: str) -> Action:
    """The action for an entity type. Raises ContractError when the contract names one that does not exist."""
    name = policy.actions.get(entity_type, policy.default_action)
    try:
        return Action(name)
    except ValueError:
        raise ContractError(f"The PII policy has no action {name}", where=f"PII policy, {entity_type}") from None

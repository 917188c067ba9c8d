"""What is done with each type of personal data, in which field, and when the PII gate closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

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


class FieldRule(Protocol):
    """The contract's rule for some fields: those whose names hold one of `words`, or that mean one of `properties`.

    `action` holds for the `entity_types` found in them, or, where `holds` names a type, for each whole value.
    """

    @property
    def words(self) -> Sequence[str]: ...

    @property
    def properties(self) -> Sequence[str]: ...

    @property
    def entity_types(self) -> Sequence[str]: ...

    @property
    def holds(self) -> str: ...

    @property
    def action(self) -> str: ...


class PiiPolicy(Protocol):
    """The contract's rules for personal data.

    `actions` maps entity types to an Action's name, `default_action` holds for the rest, `fields` come before both
    where they apply, and `special_category_action` holds for whole fields that PDPA section 26 protects. The gate
    fails when more than `quarantined_share_fail` (0–1) of the records are withheld, or when something is found,
    `requires_agreement` holds and the tenant has signed none.
    """

    @property
    def actions(self) -> Mapping[str, str]: ...

    @property
    def default_action(self) -> str: ...

    @property
    def fields(self) -> Sequence[FieldRule]: ...

    @property
    def special_category_action(self) -> str: ...

    @property
    def quarantined_share_fail(self) -> float: ...

    @property
    def requires_agreement(self) -> bool: ...


def action_for(policy: PiiPolicy, entity_type: str) -> Action:
    """The action for an entity type wherever no field's rule says another. Raises ContractError for an unknown one."""
    return action_named(policy.actions.get(entity_type, policy.default_action), entity_type)


def action_named(name: str, of: str) -> Action:
    """The Action of that name. Raises ContractError when the contract names one that does not exist."""
    try:
        return Action(name)
    except ValueError:
        raise ContractError(f"The PII policy has no action {name}", where=f"PII policy, {of}") from None

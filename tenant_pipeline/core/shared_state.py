"""The shared document of a workspace: which fields it has, how each is merged, and who may write it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class MergeRule(StrEnum):
    """What merging may decide. A decision or a signature is in no field: those are acts of their own."""

    CRDT = "crdt"
    """Everybody's edits are kept, merged as the CRDT does."""

    LAST_WRITER = "last-writer"
    """The last that was written stands."""

    PERSON = "person"
    """Each value is some person's word, and nobody gives or takes away another's."""


@dataclass(frozen=True)
class SharedField:
    """A field of the document, a map of its name: its merge rule, and the roles that may write it."""

    name: str
    rule: MergeRule
    write_roles: frozenset[str]


@dataclass(frozen=True)
class Written:
    """What an edit does to one key at the top of a field; `value` is None where it is taken away."""

    field: str
    key: str
    value: Any


@dataclass(frozen=True)
class Presence:
    """What one window that has the document open says of itself; `state` is None when it is gone."""

    client: int
    clock: int
    state: dict[str, Any] | None

    @property
    def person(self) -> str | None:
        """Whose window it is, as far as it says so."""
        return None if self.state is None else self.state.get("person")


def writes_something(fields: Mapping[str, SharedField], roles: Collection[str]) -> bool:
    """Whether there is a field that the roles write."""
    return any(field.write_roles.intersection(roles) for field in fields.values())


def refusal(
    edits: Collection[Written], fields: Mapping[str, SharedField], person: str, roles: Collection[str]
) -> str | None:
    """Why a person may not make these edits; None when they may."""
    for edit in edits:
        field = fields.get(edit.field)
        if field is None:
            return f"there is no field {edit.field[:60]}"
        if not field.write_roles.intersection(roles):
            return f"your roles do not write {field.name}"
        if field.rule is MergeRule.PERSON and not (isinstance(edit.value, Mapping) and edit.value.get("by") == person):
            return f"{field.name} takes your own word only"
    return None

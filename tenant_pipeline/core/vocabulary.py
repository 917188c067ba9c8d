"""The canonical types and properties of a living city (schema.org names), as the contract declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenant_pipeline.core.errors import ContractError
from tenant_pipeline.core.statement import Datatype


@dataclass(frozen=True)
class PropertyDefinition:
    """What may be said with a property, and how its values are standardised and compared.

    `per_language` properties have one value a language (`name`@th, `name`@en). `identifying` ones name the same
    thing wherever they stand (an official code). `unit` is the canonical unit of a number or area (`m2`, `person`).
    `tolerance` is the greatest difference that is none: metres for geo, a share (0–1) for numbers and areas, days
    for dates; None asks for equality.
    """

    name: str
    datatype: Datatype
    multi_valued: bool = False
    per_language: bool = False
    identifying: bool = False
    unit: str | None = None
    tolerance: float | None = None


@dataclass(frozen=True)
class TypeDefinition:
    """A canonical type, its parent, the properties it may have, and those a complete entity has."""

    name: str
    parent: str | None
    properties: tuple[str, ...]
    expected: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """All types and properties of one version of the `living_city` contract."""

    version: str
    types: Mapping[str, TypeDefinition]
    properties: Mapping[str, PropertyDefinition]

    def type(self, name: str) -> TypeDefinition:
        """The type of that name. Raises ContractError when the contract has none."""
        try:
            return self.types[name]
        except KeyError:
            raise ContractError(f"The contract has no type {name}", where="living_city.json types") from None

    def property(self, name: str) -> PropertyDefinition:
        """The property of that name. Raises ContractError when the contract has none."""
        try:
            return self.properties[name]
        except KeyError:
            raise ContractError(f"The contract has no property {name}", where="living_city.json properties") from None

    def properties_of(self, type_: str) -> set[str]:
        """The properties of a type and of its ancestors. Raises ContractError when the contract has no such type."""
        found: set[str] = set()
        name: str | None = type_
        while name is not None:
            definition = self.type(name)
            found |= set(definition.properties)
            name = definition.parent
        return found

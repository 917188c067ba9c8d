"""What a tenant declares of its fields, beside the contract's policy: as far as it may, on its own or signed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tenant_pipeline.core.mapping.mapping import field_key
from tenant_pipeline.core.tables import TableDescriptor
from tenant_pipeline.pii.policy import Action
from tenant_pipeline.pii.special_categories import SpecialCategory

CONTACT_TYPES = ("PHONE_NUMBER", "EMAIL_ADDRESS")
"""What a business contact can be: a name or a document is a person's whoever publishes it."""

PLACES_AND_ORGANISATIONS = frozenset({"Place", "Organization"})
"""The canonical types whose telephone and e-mail can be business contacts."""


class DeclaredClass(StrEnum):
    """What is declared of a field."""

    BUSINESS_CONTACT = "business-contact"
    ACTION = "action"
    SPECIAL_CATEGORY = "special-category"
    NO_SPECIAL_CATEGORY = "no-special-category"


@dataclass(frozen=True)
class FieldMeaning:
    """What the tenant's mapping makes of a field: a property, and of which canonical type with its ancestors."""

    property: str
    types: tuple[str, ...]


FieldMeanings = Callable[[TableDescriptor], Mapping[int, FieldMeaning]]
"""What the fields of a table mean, by position, as far as the tenant's mappings tell."""


@dataclass(frozen=True)
class Declaration:
    """A declaration in force. It is about the field called `field` (of `table` only, if given) or those that mean
    `property`; or, with neither, about every field.

    What is not `signed` can make the policy stricter and never looser.
    """

    id: str
    declared: DeclaredClass
    signed: bool
    table: str = ""
    field: str = ""
    property: str = ""
    entity_types: tuple[str, ...] = ()
    action: Action | None = None
    category: SpecialCategory | None = None

    def is_about(self, descriptor: TableDescriptor, field: str, meaning: FieldMeaning | None) -> bool:
        """Whether it is about this field."""
        tables = (descriptor.name, str(descriptor.about.get("name") or ""))
        if self.table and field_key(self.table) not in map(field_key, tables):
            return False
        if self.field:
            return field_key(self.field) == field_key(field)
        if self.property:
            return meaning is not None and meaning.property == self.property and self._may_be_about(meaning)
        return True

    def _may_be_about(self, meaning: FieldMeaning) -> bool:
        is_contact = self.declared is DeclaredClass.BUSINESS_CONTACT
        return not is_contact or not PLACES_AND_ORGANISATIONS.isdisjoint(meaning.types)

    def as_parameter(self) -> Mapping[str, Any]:
        """What of it can change the output of the screen."""
        return {
            "id": self.id,
            "class": str(self.declared),
            "signed": self.signed,
            "table": self.table,
            "field": self.field,
            "property": self.property,
            "entity_types": list(self.entity_types),
            "action": str(self.action or ""),
            "category": str(self.category or ""),
        }

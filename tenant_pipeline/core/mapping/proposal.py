"""What is proposed for a table: a mapping, and for each field why it is mapped so or not at all."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import asdict, dataclass
from typing import Any

from tenant_pipeline.core.mapping.definition import definition_of
from tenant_pipeline.core.mapping.mapping import Mapping


@dataclass(frozen=True)
class Alternative:
    """Something else that a field may mean."""

    property: str
    lang: str
    confidence: float


@dataclass(frozen=True)
class FieldProposal:
    """What is proposed for one field. `property` is "" when it stays unmapped; `reasons` say why in either case.

    `share` of the field's `values` in the sample read as what the property asks for; None when any text would do, or
    when the field stays unmapped. No reason quotes a value.
    """

    field: str
    property: str
    lang: str
    confidence: float
    reasons: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    values: int
    share: float | None


@dataclass(frozen=True)
class Conflict:
    """Several fields for what only one can say: which is kept, which give way, and why."""

    property: str
    lang: str
    kept: str
    given_up: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Proposal:
    """A mapping for a table. `mapping` is None when no field is known surely enough: its records stay whole.

    `today` is the mapping that applies now, `declared` whether somebody declared that one for such tables: then
    there is nothing to propose, only something else to compare with.
    """

    mapping: Mapping | None
    type: str
    type_reason: str
    fields: tuple[FieldProposal, ...]
    conflicts: tuple[Conflict, ...]
    sampled_rows: int
    today: str
    today_reason: str
    declared: bool

    def as_json(self) -> MappingOf[str, Any]:
        """The proposal as the command line and the API give it; `definition` can be accepted as it is."""
        return {
            "definition": definition_of(self.mapping) if self.mapping else None,
            "type": self.type,
            "type_reason": self.type_reason,
            "fields": [asdict(field) for field in self.fields],
            "conflicts": [asdict(conflict) for conflict in self.conflicts],
            "sampled_rows": self.sampled_rows,
            "fields_mapped": sum(bool(field.property) for field in self.fields),
            "today": {"mapping": self.today, "reason": self.today_reason, "declared": self.declared},
        }

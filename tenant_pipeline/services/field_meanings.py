"""What the fields of an extracted table will mean once they are mapped, for rules on personal data that go by that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenant_pipeline.contracts.contracts import Contracts
from tenant_pipeline.core.mapping.choose import choose
from tenant_pipeline.core.mapping.mapping import field_key
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.tables import TableDescriptor
from tenant_pipeline.core.vocabulary import Vocabulary
from tenant_pipeline.pii.declarations import Declaration, FieldMeaning, FieldMeanings
from tenant_pipeline.services.decisions import Decisions


def needs_meanings(contracts: Contracts, declarations: Sequence[Declaration]) -> bool:
    """Whether any rule in force goes by what a field means rather than by its name."""
    return any(rule.properties for rule in contracts.pii_policy.fields) or any(one.property for one in declarations)


def field_meanings(contracts: Contracts, decisions: Decisions, origin: Origin) -> FieldMeanings:
    """A function from a table to the meanings of its fields, by position; of no field where no rule goes by that.

    The mapping is the one that `map` would choose for the table as it is, before the screen.
    """
    if not needs_meanings(contracts, decisions.declarations):
        return lambda descriptor: {}
    vocabulary = contracts.vocabulary

    def of_table(descriptor: TableDescriptor) -> Mapping[int, FieldMeaning]:
        shape = str(descriptor.about.get("shape", "records"))
        mapping = choose(decisions.rules, descriptor.fields, shape, str(origin)).mapping
        types = _with_ancestors(vocabulary, mapping.type)
        meant: dict[str, FieldMeaning] = {}
        for rule in mapping.rules:
            for name in (*rule.fields, *rule.latitude, *rule.longitude):
                meant.setdefault(field_key(name), FieldMeaning(rule.property, types))
        return {
            position: meant[field_key(name)]
            for position, name in enumerate(descriptor.fields)
            if field_key(name) in meant
        }

    return of_table


def _with_ancestors(vocabulary: Vocabulary, name: str) -> tuple[str, ...]:
    names = [name]
    while (parent := vocabulary.type(names[-1]).parent) is not None:
        names.append(parent)
    return tuple(names)

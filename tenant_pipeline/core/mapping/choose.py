"""Which mapping fits a table: the declared one that knows most of its fields, or one made from synonyms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenant_pipeline.core.mapping.mapping import Mapping, MappingRules, Rule, field_key

SYNONYMS_MAPPING = "by-synonyms"
TEXT_MAPPING = "as-text"


@dataclass(frozen=True)
class Choice:
    """The mapping chosen for a table, and why. `as_text` says that no field is known and each record is kept whole."""

    mapping: Mapping
    reason: str
    as_text: bool = False


def choose(rules: MappingRules, fields: Sequence[str], shape: str, origin: str) -> Choice:
    """The mapping for a table with these fields: one that the tenant accepted, else one that is declared.

    Ties go to the one accepted last, or declared first.
    """
    present = {field_key(name) for name in fields}
    for mappings, why in ((rules.accepted, "was accepted for tables with"), (rules.mappings, "has")):
        fitting = [mapping for mapping in mappings if _fits(mapping, present, shape, origin)]
        if fitting:
            best = max(fitting, key=lambda mapping: _known(mapping, present))
            matched = [name for name in (*best.all_of, *best.any_of) if field_key(name) in present]
            return Choice(best, f"{why} the fields {', '.join(matched)}")
    return _by_synonyms(rules, fields)


def is_declared(choice: Choice) -> bool:
    """Whether somebody declared or accepted the mapping for such tables, rather than that it was made on the spot."""
    return choice.mapping.id not in (SYNONYMS_MAPPING, TEXT_MAPPING)


def _fits(mapping: Mapping, present: set[str], shape: str, origin: str) -> bool:
    return (
        mapping.shape == shape
        and (not mapping.origins or origin in mapping.origins)
        and all(field_key(name) in present for name in mapping.all_of)
        and (not mapping.any_of or any(field_key(name) in present for name in mapping.any_of))
    )


def _known(mapping: Mapping, present: set[str]) -> tuple[int, int]:
    required = sum(field_key(name) in present for name in mapping.all_of)
    return required, sum(field_key(name) in present for name in mapping.any_of)


def _by_synonyms(rules: MappingRules, fields: Sequence[str]) -> Choice:
    """A mapping made for this table: each field that means a property, each property from one field a language."""
    meaning = {
        field_key(name): (synonym.property, synonym.lang)
        for synonym in reversed(rules.synonyms)
        for name in synonym.fields
    }
    chosen: dict[tuple[str, str], str] = {}
    for name in fields:
        found = meaning.get(field_key(name))
        if found is not None:
            chosen.setdefault(found, name)
    latitude, longitude = chosen.pop(("latitude", ""), None), chosen.pop(("longitude", ""), None)
    made = [Rule(property_, (name,), lang) for (property_, lang), name in chosen.items()]
    if latitude is not None and longitude is not None:
        made.append(Rule("geo", latitude=(latitude,), longitude=(longitude,)))
    properties = {rule.property for rule in made}
    if not properties:
        return Choice(_made(rules, TEXT_MAPPING, rules.otherwise_type, ()), "no field is known", as_text=True)
    properties |= {"latitude"} if "geo" in properties else set()
    type_ = next((type_ for type_, telling in rules.type_by_properties if telling & properties), rules.otherwise_type)
    return Choice(
        _made(rules, SYNONYMS_MAPPING, type_, tuple(made)),
        f"known by synonyms: {', '.join(rule.property + (f'@{rule.lang}' if rule.lang else '') for rule in made)}",
    )


def _made(rules: MappingRules, identifier: str, type_: str, made: tuple[Rule, ...]) -> Mapping:
    return Mapping(identifier, rules.version, type_, "records", (), (), (), (), made, {})

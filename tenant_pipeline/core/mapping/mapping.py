"""A mapping as the contract declares it: which tables it fits, what they describe, and which field says what."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Lookup:
    """Replace a value by one of another table of the same source: the table that has exactly these `fields`.

    Its rows are searched by `match`; the first row's `take`, or that field's `first` characters, is the value.
    """

    fields: tuple[str, ...]
    match: str
    take: str
    first: int


@dataclass(frozen=True)
class Rule:
    """One property and where its value comes from: the first of `fields` that the table has.

    `latitude` and `longitude` together make a geo value. `first` keeps so many characters, `lookup` replaces, and
    `template` puts the value in the place of `{value}`, in this order.
    """

    property: str
    fields: tuple[str, ...] = ()
    lang: str = ""
    first: int = 0
    template: str = "{value}"
    lookup: Lookup | None = None
    latitude: tuple[str, ...] = ()
    longitude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """A versioned mapping of one kind of table. `key` fields name an entity; without them what the record says does."""

    id: str
    version: str
    type: str
    shape: str
    origins: tuple[str, ...]
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...]
    constants: MappingOf[str, str]


@dataclass(frozen=True)
class Synonym:
    """Field names that mean a property, in whatever table they stand."""

    property: str
    lang: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class MappingRules:
    """All that the mapping contract declares, and what the tenant has accepted besides, the latest first."""

    version: str
    mappings: tuple[Mapping, ...]
    synonyms: tuple[Synonym, ...]
    type_by_properties: tuple[tuple[str, frozenset[str]], ...]
    otherwise_type: str
    otherwise_property: str
    accepted: tuple[Mapping, ...] = ()


def field_key(name: str) -> str:
    """The form under which field names are compared: letters, digits and marks only, case folded."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in folded if unicodedata.category(character)[0] in "LNM")


def mapping_rules(contract: MappingOf[str, Any]) -> MappingRules:
    """The `source_mapping_engine` contract as typed rules."""
    return MappingRules(
        version=contract["schema_version"],
        mappings=tuple(mapping_of(each) for each in contract["mappings"]),
        synonyms=tuple(
            Synonym(each["property"], each.get("lang", ""), tuple(each["fields"])) for each in contract["synonyms"]
        ),
        type_by_properties=tuple((each["type"], frozenset(each["any_of"])) for each in contract["type_by_properties"]),
        otherwise_type=contract["otherwise"]["type"],
        otherwise_property=contract["otherwise"]["property"],
    )


def mapping_of(declared: MappingOf[str, Any]) -> Mapping:
    """One mapping from the form in which the contract declares it."""
    return Mapping(
        id=declared["id"],
        version=declared["version"],
        type=declared["type"],
        shape=declared["shape"],
        origins=tuple(declared["origins"]),
        all_of=tuple(declared["match"]["all_of"]),
        any_of=tuple(declared["match"]["any_of"]),
        key=tuple(declared["key"]),
        rules=tuple(_rule(each) for each in declared["rules"]),
        constants=declared["constants"],
    )


def _rule(declared: MappingOf[str, Any]) -> Rule:
    lookup = declared.get("lookup")
    return Rule(
        property=declared["property"],
        fields=tuple(declared.get("from", ())),
        lang=declared.get("lang", ""),
        first=declared.get("first", 0),
        template=declared.get("template", "{value}"),
        lookup=Lookup(tuple(lookup["fields"]), lookup["match"], lookup["take"], lookup["first"]) if lookup else None,
        latitude=tuple(declared.get("latitude", ())),
        longitude=tuple(declared.get("longitude", ())),
    )

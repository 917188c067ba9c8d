"""What is known of an entity that helps to find it again, gathered from its statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tenant_pipeline.core.digest import sha256_of_bytes
from tenant_pipeline.core.standardise.names import name_key
from tenant_pipeline.core.tables import StageReader

MOST_VALUES = 8
"""Of each feature, so many values are kept: enough to compare, and bounded."""

LONGEST_KEY = 400
"""Characters of a key; a PostgreSQL B-tree takes 2,704 bytes in all, and a character has up to four."""

LINKING_PROPERTIES = (
    "identifier", "name", "alternateName", "geo", "postalCode", "containedInPlace", "url", "telephone", "startDate",
    "addressLocality",
)  # fmt: skip
NEVER_BY_SCORE = frozenset({"CreativeWork", "NewsArticle", "WebPage", "Message", "Person"})
"""Types that are linked by identifiers only: two texts, or two people, are not one because they are alike."""


@dataclass
class Features:
    """An entity: its id, its type, its identifiers (property, value), and its other telling values by property.

    Names are `lang:name key`. `table` is where the source keeps it: two keyed rows of one table are two entities.
    """

    entity_id: str
    type: str
    table: str = ""
    identifiers: list[tuple[str, str]] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)

    def add(self, property_: str, value: str, lang: str, *, identifying: bool) -> None:
        """Note a statement's value."""
        if identifying:
            if (property_, bounded(value)) not in self.identifiers:
                self.identifiers.append((property_, bounded(value)))
            return
        if property_ in ("name", "alternateName"):
            property_, value = "name", f"{lang}:{name_key(value, lang)}"
        kept = self.values.setdefault(property_, [])
        if value not in kept and len(kept) < MOST_VALUES:
            kept.append(value)

    def as_json(self) -> dict[str, Any]:
        """The features as they are kept for later sources."""
        return {"type": self.type, "identifiers": [list(each) for each in self.identifiers], "values": self.values}

    @classmethod
    def from_json(cls, canonical_id: str, value: Mapping[str, Any]) -> Features:
        """Features that were kept, under their canonical id."""
        identifiers = [(scheme, text) for scheme, text in value["identifiers"]]
        return cls(
            canonical_id, value["type"], "", identifiers, {name: list(all_) for name, all_ in value["values"].items()}
        )

    def merged_with(self, other: Features) -> Features:
        """These features with another entity's beside them, bounded as before."""
        merged = Features(self.entity_id, self.type, self.table, list(self.identifiers), {})
        merged.identifiers += [each for each in other.identifiers if each not in merged.identifiers]
        for name in sorted({*self.values, *other.values}):
            together = [*self.values.get(name, []), *other.values.get(name, [])]
            merged.values[name] = list(dict.fromkeys(together))[:MOST_VALUES]
        return merged


def gather(validated: StageReader, identifying: frozenset[str]) -> Iterator[tuple[list[Features], int]]:
    """The entities of each table with their features, and how many statements the table has."""
    for table in validated.tables("statements"):
        entities: dict[str, Features] = {}
        statements = 0
        for frame in table.batches(["entity_id", "type", "property", "value", "lang"]):
            statements += len(frame)
            for entity, type_, property_, value, lang in frame.itertuples(index=False, name=None):
                features = entities.get(entity)
                if features is None:
                    features = entities[entity] = Features(entity, type_, table.descriptor.name)
                if property_ in LINKING_PROPERTIES or property_ in identifying:
                    features.add(property_, value, lang, identifying=property_ in identifying)
        yield list(entities.values()), statements


def blocking_keys(features: Features) -> Iterable[tuple[str, str]]:
    """Keys under which an entity is looked for: (scheme, value). Two that share none are never compared."""
    keys = []
    for name in features.values.get("name", []):
        _, _, text = name.partition(":")
        if text:
            keys.append(("name", text))
            keys.append(("name-start", text[:6]))
    keys += [("url", url) for url in features.values.get("url", [])]
    keys += [("telephone", number) for number in features.values.get("telephone", [])]
    for geo in features.values.get("geo", []):
        latitude, _, longitude = geo.partition(",")
        try:
            keys.append(("geo-cell", f"{float(latitude):.3f},{float(longitude):.3f}"))
        except ValueError:
            continue
    return list(dict.fromkeys((scheme, bounded(value)) for scheme, value in keys))


def bounded(value: str) -> str:
    """A value as a key of an index, which takes no long ones: a long value's digest stands for it."""
    return value if len(value) <= LONGEST_KEY else sha256_of_bytes(value.encode())

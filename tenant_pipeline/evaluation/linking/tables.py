"""Records and gold pairs of a data set, whatever format it came in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tenant_pipeline.linking.features import Features

Pair = tuple[str, str]
"""Two record ids: left and right table's, or in one table in order."""


@dataclass(frozen=True)
class GoldTables:
    """Two tables to link, or one (`right` empty) to find duplicates in.

    `matches` are the pairs that are one thing. `judged`, when given, are the only pairs whose truth is known.
    `unique` says that neither table holds a thing twice. `rows` are the records as the peers get them: plain fields.
    """

    name: str
    left: Mapping[str, Features]
    right: Mapping[str, Features]
    matches: frozenset[Pair]
    judged: frozenset[Pair] | None = None
    unique: bool = True
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    people: bool = False

    @property
    def size(self) -> int:
        """How many records there are."""
        return len(self.left) + len(self.right)


def record(id_: str, type_: str, properties: Iterable[tuple[str, str, str]]) -> Features:
    """A record's features from (property, value, language); empty values are left out."""
    features = Features(id_, type_)
    for property_, value, lang in properties:
        text = " ".join(value.split())
        if text:
            features.add(property_, text, lang, identifying=False)
    return features

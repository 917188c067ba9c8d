"""An entity as a release holds it: its values, each with where it comes from and why it was chosen."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from tenant_pipeline.core.digest import Sha256, sha256_of_json
from tenant_pipeline.core.pseudonym import without_replacements

Row = Mapping[str, Any]

NAMES = ("name", "alternateName")
"""The properties whose values are names."""

SOURCE_FIELDS = (
    "source_id", "source_title", "origin", "authority_tier", "rights", "locator", "method", "observed_at",
)  # fmt: skip
"""What a value's provenance says of each source."""


@dataclass(frozen=True)
class EntityDocument:
    """One entity of a release: `values` are in the order of property, language, value and period."""

    canonical_id: str
    type: str
    values: tuple[Mapping[str, Any], ...]

    @cached_property
    def content(self) -> dict[str, Any]:
        """The document as it is stored and served."""
        names: dict[str, list[str]] = {}
        for prop in NAMES:
            for each in self.values:
                if each["property"] == prop:
                    named = names.setdefault(each["lang"] or "und", [])
                    if each["value"] not in named:
                        named.append(each["value"])
        return {"id": self.canonical_id, "type": self.type, "names": names, "values": list(self.values)}

    @cached_property
    def digest(self) -> Sha256:
        """The digest of the document: the same wherever and whenever it was made."""
        return sha256_of_json(self.content)


def entity_documents(facts: Iterable[Row], resolved: Iterable[Row]) -> Iterator[EntityDocument]:
    """The documents of a tenant's entities, from what its sources say and what was resolved where they differ.

    Both in the order of canonical id (by code point); one entity at a time is in memory. `facts` have the columns
    canonical_id, entity_type, property, lang, value, datatype, valid_from, valid_to and SOURCE_FIELDS, in the order of
    property, language, value, period and authority; `resolved` have canonical_id, property, lang, value, decision and
    signed. A property that was resolved has the values that were chosen; any other has those on which its sources
    agree. A value that holds for several periods is there once for each.
    Its type is the one that its source of most authority gives it. Values of which pseudonymisation left nothing to
    read are left out.
    """
    choices = _Grouped(resolved)
    for canonical_id, group in itertools.groupby(facts, key=itemgetter("canonical_id")):
        chosen: dict[tuple[str, str], list[Row]] = {}
        for row in choices.take(canonical_id):
            chosen.setdefault((row["property"], row["lang"]), []).append(row)
        rows = list(group)
        values = [
            value
            for (prop, lang), said in itertools.groupby(rows, key=itemgetter("property", "lang"))
            for value in _values(prop, lang, list(said), chosen.get((prop, lang)))
            if without_replacements(value["value"], "").strip()
        ]
        if values:
            best = min(rows, key=itemgetter("authority_tier", "source_id", "entity_type"))
            yield EntityDocument(canonical_id, best["entity_type"], tuple(values))


def _values(prop: str, lang: str, said: Sequence[Row], chosen: Sequence[Row] | None) -> Iterator[dict[str, Any]]:
    by_value: dict[str, list[list[Row]]] = {}
    for (value, _, _), rows in itertools.groupby(said, key=itemgetter("value", "valid_from", "valid_to")):
        by_value.setdefault(value, []).append(list(rows))
    if chosen is None:
        for value, periods in by_value.items():
            for period in periods:
                yield _value(prop, lang, value, "agreed", True, 0, period)
        return
    for choice in sorted(chosen, key=itemgetter("value")):
        if choice["value"] is not None:
            others = len(by_value.keys() - {choice["value"]})
            for period in by_value.get(choice["value"], [[]]):
                like = period or said[:1]
                yield _value(prop, lang, choice["value"], choice["decision"], choice["signed"], others, period, like)


def _value(
    prop: str,
    lang: str,
    value: str,
    rule: str,
    decided: bool,
    others: int,
    rows: Sequence[Row],
    like: Sequence[Row] = (),
) -> dict[str, Any]:
    first = (rows or like)[0]
    return {
        "property": prop,
        "lang": lang,
        "value": value,
        "datatype": first["datatype"],
        "valid_from": first["valid_from"],
        "valid_to": first["valid_to"],
        "rule": rule,
        "decided": decided,
        "others": others,
        "sources": [{field: row[field] for field in SOURCE_FIELDS} for row in rows],
    }


class _Grouped:
    """Rows in the order of canonical id, taken an entity at a time."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._groups = itertools.groupby(rows, key=itemgetter("canonical_id"))
        self._next: tuple[str, list[Row]] | None = None

    def take(self, canonical_id: str) -> list[Row]:
        """The rows of this entity; those of entities before it are passed over."""
        while self._next is None or self._next[0] < canonical_id:
            found = next(self._groups, None)
            if found is None:
                return []
            self._next = (found[0], list(found[1]))
        return self._next[1] if self._next[0] == canonical_id else []

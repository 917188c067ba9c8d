"""What is known of an entity that helps to find it again, gathered from its statements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from tenant_pipeline.core.digest import Sha256, sha256_of_json
from tenant_pipeline.core.standardise.names import name_key
from tenant_pipeline.linking.blocking import LONGEST_KEY, bounded

MOST_VALUES = 8
"""Of each feature, so many values are kept: enough to compare, and bounded."""

LINKING_PROPERTIES = (
    "identifier", "name", "alternateName", "geo", "postalCode", "containedInPlace", "url", "telephone", "email",
    "startDate", "address", "addressLocality", "addressCountry",
)  # fmt: skip
NEVER_BY_SCORE = frozenset({"CreativeWork", "NewsArticle", "WebPage", "Message", "Person"})
"""Types that are linked by identifiers only: two texts, or two people, are not one because they are alike."""


@dataclass
class Features:
    """An entity: its id, its type, its identifiers (property, value), and its other telling values by property.

    Names are `lang:name key`; `words` are `name key words`, for names of several words. `table` is where the source
    keeps it: two keyed rows of one table are two entities. Of what came `packed` from another process, the values are
    read where somebody asks for them: of most new entities nobody does.
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
            key = name_key(value, lang)
            if key and " " in value:
                self._keep("words", f"{key[:LONGEST_KEY]} {value[:LONGEST_KEY]}")
            property_, value = "name", f"{lang}:{key[:LONGEST_KEY]}"
        self._keep(property_, value)

    def _keep(self, property_: str, value: str) -> None:
        kept = self.values.setdefault(property_, [])
        if value not in kept and len(kept) < MOST_VALUES:
            kept.append(value)

    def __getattr__(self, name: str) -> Any:
        if name != "values" or "_packed" not in self.__dict__:
            raise AttributeError(name)
        self.values = json.loads(self.__dict__.pop("_packed"))
        return self.values

    def packed(self) -> Features:
        """The same, with its values as one text, which is sent to another process at a third of the price."""
        packed = copy(self)
        vars(packed)["_packed"] = json.dumps(packed.values, ensure_ascii=False)
        del packed.values
        return packed

    def as_json(self) -> dict[str, Any]:
        """The features as they are kept for later sources."""
        return {"type": self.type, "identifiers": [list(each) for each in self.identifiers], "values": self.values}

    def as_text(self) -> str:
        """The same as JSON text."""
        if "_packed" not in self.__dict__:
            return json.dumps(self.as_json(), ensure_ascii=False)
        head = json.dumps({"type": self.type, "identifiers": self.identifiers}, ensure_ascii=False)
        return f'{head[:-1]}, "values": {self.__dict__["_packed"]}}}'

    def digest(self, code: str) -> Sha256:
        """A digest of all that linking makes of the entity with this version of its code."""
        return sha256_of_json([code, self.table, self.as_json()])

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

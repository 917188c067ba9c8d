"""How two releases differ: a merge of two streams in the same order, an entity at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

Document = Mapping[str, Any]

TYPE = "@type"
"""Among the properties that changed: what the entity is."""


class Change(StrEnum):
    """What became of an entity or of one of its properties."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True)
class Held:
    """A value, from when and until when it holds ("" for unsaid), and the titles of its sources."""

    value: str
    valid_from: str
    valid_to: str
    sources: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The value as the command line and the API give it."""
        return {**asdict(self), "sources": list(self.sources)}


@dataclass(frozen=True)
class PropertyChange:
    """One property in one language: its values before and after."""

    property: str
    lang: str
    change: Change
    before: tuple[Held, ...]
    after: tuple[Held, ...]


@dataclass(frozen=True)
class EntityChange:
    """One entity: whether it came, went or changed, and how its properties did."""

    canonical_id: str
    type: str
    label: str
    change: Change
    properties: tuple[PropertyChange, ...]

    def as_json(self) -> dict[str, Any]:
        """The change as the command line and the API give it."""
        return {
            "id": self.canonical_id,
            "type": self.type,
            "label": self.label,
            "change": str(self.change),
            "properties": [
                {
                    "property": each.property,
                    "lang": each.lang,
                    "change": str(each.change),
                    "before": [held.as_json() for held in each.before],
                    "after": [held.as_json() for held in each.after],
                }
                for each in self.properties
            ],
        }


def differences(old: Iterator[Document], new: Iterator[Document]) -> Iterator[EntityChange]:
    """The changes from `old` to `new`, two streams of documents in the order of their ids."""
    before, after = next(old, None), next(new, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before["id"] < after["id"]):
            assert before is not None
            yield _change(before, None)
            before = next(old, None)
        elif before is None or after["id"] < before["id"]:
            yield _change(None, after)
            after = next(new, None)
        else:
            changed = _change(before, after)
            if changed.properties:
                yield changed
            before, after = next(old, None), next(new, None)


def _change(before: Document | None, after: Document | None) -> EntityChange:
    document = after or before
    assert document is not None
    old, new = _properties(before), _properties(after)
    changes = tuple(
        PropertyChange(
            prop, lang, _kind(old.get((prop, lang)), new.get((prop, lang))), old.get((prop, lang), ()),
            new.get((prop, lang), ()),
        )
        for prop, lang in sorted(old.keys() | new.keys())
        if old.get((prop, lang)) != new.get((prop, lang))
    )  # fmt: skip
    if before is not None and after is not None and before["type"] != after["type"]:
        was, now = ((Held(each["type"], "", "", ()),) for each in (before, after))
        changes = (PropertyChange(TYPE, "", Change.CHANGED, was, now), *changes)
    return EntityChange(document["id"], document["type"], label_of(document), _kind(before, after), changes)


def _kind(before: object | None, after: object | None) -> Change:
    if before is None:
        return Change.ADDED
    return Change.REMOVED if after is None else Change.CHANGED


def _properties(document: Document | None) -> dict[tuple[str, str], tuple[Held, ...]]:
    found: dict[tuple[str, str], list[Held]] = {}
    for value in document["values"] if document else ():
        sources = tuple(sorted({source["source_title"] for source in value["sources"]}))
        held = Held(value["value"], value["valid_from"], value["valid_to"], sources)
        found.setdefault((value["property"], value["lang"]), []).append(held)
    return {key: tuple(values) for key, values in found.items()}


def label_of(document: Document) -> str:
    """A name to show: in English, else Thai, else Chinese, else whatever language there is, else the id."""
    names = document["names"]
    for language in ("en", "th", "zh", *sorted(names)):
        if names.get(language):
            return str(names[language][0])
    return str(document["id"])

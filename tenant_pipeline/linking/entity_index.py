"""What linking asks of the tenant's knowledge base, and what it gives to it. In batches; one tenant only.

Every entity has a *home*: the id that was made for it (or for its identifier) when it was first seen. A home belongs
to a canonical entity: itself, or the older home that linking or a person found it to be one with. Keys and features
stay with the home, so that what was put together can be taken apart again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from tenant_pipeline.linking.features import Features

LINKS = pa.schema(
    [
        ("entity_id", pa.string()),
        ("canonical_id", pa.string()),
        ("type", pa.string()),
        ("method", pa.string()),
        ("score", pa.float64()),
        ("explanation", pa.string()),
    ]
)
"""What linking tells of each entity; the explanation as JSON."""


@dataclass(frozen=True)
class Known:
    """A home in the index, and the canonical entity that it belongs to now."""

    home_id: str
    canonical_id: str


@dataclass(frozen=True)
class KnownMember(Known):
    """An entity of this source that an earlier run has linked. `features_digest` is of what was known of it then."""

    features_digest: str


@dataclass(frozen=True)
class Home:
    """A home to be kept: what its features are added to, and what linking attached it to with how many bits.

    `attached_to` is the home that it was found to be one with, or "" when nothing was like it; `keys` are the
    packed blocking keys of the features where these were looked up under them.
    """

    features: Features
    family: str
    canonical_id: str
    attached_to: str = ""
    bits: float | None = None
    keys: bytes | None = None


@dataclass(frozen=True)
class Member:
    """A source's entity, its home, and the canonical entity that it was found to be."""

    entity_id: str
    canonical_id: str
    type: str
    method: str
    score: float
    explanation: Mapping[str, Any]
    home_id: str
    table: str
    features_digest: str


def explanation_texts(members: Sequence[Member]) -> list[str]:
    """The explanation of each as JSON. Most members say the same: what is one object here is written once."""
    said = {id(each.explanation): each.explanation for each in members}
    texts = {name: json.dumps(dict(each), ensure_ascii=False, sort_keys=True) for name, each in said.items()}
    return [texts[id(each.explanation)] for each in members]


@dataclass(frozen=True)
class Said:
    """An entity that the source speaks of now. `heir` are its features where it may be what another was until now:
    nothing but these tells the two apart from others."""

    entity_id: str
    features_digest: str
    heir: Features | None = None


@dataclass(frozen=True)
class Proposal:
    """A pair that people should judge: two ids, in order, with the score and its explanation."""

    left_id: str
    right_id: str
    score: float
    explanation: Mapping[str, Any]


@dataclass(frozen=True)
class Holder:
    """The row of a table that a canonical entity has been given to. `bits` is None where it must not be taken away."""

    entity_id: str
    home_id: str
    bits: float | None


class EntityIndex(Protocol):
    """The tenant's entities, as linking finds them."""

    def members(self, entity_ids: Sequence[str]) -> dict[str, KnownMember]:
        """The entities of this source that an earlier run has linked."""
        ...

    def note(self, entity_ids: Iterable[Sequence[str]]) -> None:
        """Learn what the source speaks of now: the ids of all its entities in batches, read when they are needed."""
        ...

    def hand_on(self, batches: Iterable[Sequence[Said]]) -> None:
        """Make heirs members in the place of entities that the source spoke of before and does not any more.

        `batches` are all entities of the source. An heir that no earlier run has linked takes the home of what was in
        its table with exactly its features, if these are of one home alone, and of one heir: who of several is whose
        is not guessed. A home that the source still speaks of is nobody's to inherit.
        """
        ...

    def by_identifier(self, type_: str, identifiers: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        """What is known under each (scheme, value) for the type."""
        ...

    def by_blocking_key(self, keys: Iterable[int], *, alone: bool = False) -> dict[int, list[Known]]:
        """What is known under each blocking key, in order; keys that too many share are left out. Keys may repeat.

        `alone` says that each entity of this run is a keyed row of one table, so that none is another. Keys under
        which there is nothing but entities that this run has made, and found to be new, may then be left out too.
        """
        ...

    def features(self, canonical_ids: Iterable[str]) -> dict[str, Features]:
        """What is known of these canonical entities, from all their homes."""
        ...

    def holders(self, canonical_ids: Iterable[str]) -> dict[tuple[str, str], Holder]:
        """The rows that this source speaks of now, by canonical entity and table."""
        ...

    def judged(self, home_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """What people have decided of these ids: the id, the canonical id of the other, and `same`, `different` or
        `unsure`."""
        ...

    def release(self, homes: Sequence[str]) -> list[Features]:
        """Take homes of this run from what they were attached to, and with them, in turn, those that a score attached
        to them; returns the entities of all, to be matched again.

        A home goes with another once, so that this ends. Later, and where it has more than one member, it stays, tied
        to its canonical entity itself."""
        ...

    def add(
        self,
        seen: Sequence[str],
        changed: Mapping[str, str],
        members: Sequence[Member],
        homes: Mapping[str, Home],
        proposals: Sequence[Proposal],
    ) -> None:
        """Keep members, their homes with the keys that follow, and pairs to judge; `seen` are members already, of which
        `changed` have other features than before: the digest of these by entity."""
        ...

    def crowded(self, keyless: frozenset[str]) -> Iterator[Sequence[tuple[Known, float]]]:
        """Homes of this run's entities that a score gave to what another row of their table is, too, each with its
        probability. Rows of tables that are not `keyless` come to be so where one was away when another was linked."""
        ...

    def linked(self) -> Iterator[pa.Table]:
        """All entities of this run, in the order of their ids: rows of `LINKS`."""
        ...

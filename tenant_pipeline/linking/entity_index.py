"""What linking asks of the tenant's knowledge base, and what it gives to it. In batches; one tenant only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tenant_pipeline.linking.features import Features


@dataclass(frozen=True)
class Member:
    """A source's entity and the canonical entity that it was found to be."""

    entity_id: str
    canonical_id: str
    type: str
    method: str
    score: float
    explanation: Mapping[str, Any]


@dataclass(frozen=True)
class Proposal:
    """A pair that people should judge: two canonical ids, in order, with the score and its explanation."""

    left_id: str
    right_id: str
    score: float
    explanation: Mapping[str, Any]


class EntityIndex(Protocol):
    """The tenant's entities, as linking finds them."""

    def by_identifier(self, type_: str, identifiers: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The canonical id under each (scheme, value) that is known for the type."""
        ...

    def by_blocking_key(self, family: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
        """The canonical ids under each blocking key, in order; keys that too many share are left out."""
        ...

    def features(self, canonical_ids: Iterable[str]) -> dict[str, Features]:
        """What is known of these entities."""
        ...

    def judged(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """What people decided of these pairs (left < right): `same`, `different` or `unsure`."""
        ...

    def add(
        self,
        members: Iterable[Member],
        features: Mapping[str, Features],
        families: Mapping[str, str],
        proposals: Iterable[Proposal],
    ) -> None:
        """Keep members, the features of their canonical entities with the keys that follow, and pairs to judge."""
        ...

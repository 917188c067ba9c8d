"""What is known of a source from what it says beside the others: how often it is right, and whom it repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from tenant_pipeline.core.conflict.dependence import dependent_groups
from tenant_pipeline.core.conflict.truth_discovery import ROUNDS, estimate

LEAST_ITEMS = 20
"""With fewer shared items nothing is estimated: the record is too short to advise anybody."""


@dataclass(frozen=True)
class SourceStanding:
    """A source's estimated accuracy (0–1), and the sources that it is not independent of, itself left out."""

    source_id: str
    trust: float
    copies_of: tuple[str, ...] = ()

    @property
    def group(self) -> tuple[str, ...]:
        """The source with those that it is not independent of: together they are one witness."""
        return tuple(sorted((self.source_id, *self.copies_of)))


def source_standings(claims: pd.DataFrame) -> dict[str, SourceStanding]:
    """The standing of each source among these claims: distinct rows of item, source_id and value.

    Only items that two sources speak of say something; what an AI wrote is left out by the caller. Empty where there
    are too few. Copies share one vote.
    """
    shared = claims[claims.groupby("item")["source_id"].transform("nunique") >= 2].reset_index(drop=True)
    if shared["item"].nunique() < LEAST_ITEMS:
        return {}
    # Copies are looked for before accuracies are, or many copies of one mistake would pass for the truth.
    groups: dict[str, tuple[str, ...]] = {}
    for rounds in (1, ROUNDS):
        found = estimate(shared, _shares(groups), rounds=rounds)
        groups = groups | dependent_groups(shared, pd.Series(found.likelihood), found.accuracy)
    settled = estimate(shared, _shares(groups))
    return {
        source: SourceStanding(source, trust, tuple(each for each in groups.get(source, ()) if each != source))
        for source, trust in sorted(settled.accuracy.items())
    }


def witness_of(source_id: str, standings: Mapping[str, SourceStanding]) -> tuple[str, ...]:
    """Who speaks when this source does: the group that it belongs to, or itself."""
    standing = standings.get(source_id)
    return standing.group if standing else (source_id,)


def _shares(groups: Mapping[str, tuple[str, ...]]) -> dict[str, float]:
    return {source: 1 / len(group) for source, group in groups.items()}

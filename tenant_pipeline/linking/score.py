"""The score of a pair: a sum of weights, each with its sentence, and what it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tenant_pipeline.linking.comparators.contacts import start_date, telephone, website
from tenant_pipeline.linking.comparators.evidence import Evidence
from tenant_pipeline.linking.comparators.names import names
from tenant_pipeline.linking.comparators.places import containing_area, distance, postal_code
from tenant_pipeline.linking.features import Features

COMPARATORS: tuple[Callable[[Features, Features], Evidence | None], ...] = (
    names,
    distance,
    containing_area,
    postal_code,
    telephone,
    website,
    start_date,
)
PRIOR_BITS = -7.0
"""Among pairs that share a blocking key, about one in a hundred is one thing; names alone do not outweigh it twice."""
MATCH_BITS = 4.0
GREY_BITS = 0.0


class Match(StrEnum):
    """What a score says of a pair."""

    SAME = "same"
    UNSURE = "unsure"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Score:
    """A pair's score in bits, what it means, and the evidence that it is the sum of."""

    bits: float
    match: Match
    evidence: tuple[Evidence, ...]

    @property
    def probability(self) -> float:
        """The probability that the two are one, 0–1."""
        return 1 / (1 + 2 ** -max(-60.0, min(60.0, self.bits)))

    def explanation(self) -> dict[str, Any]:
        """The score's parts, for a person to read."""
        return {
            "bits": round(self.bits, 2),
            "prior_bits": PRIOR_BITS,
            "parts": [
                {"comparator": each.comparator, "bits": each.bits, "says": each.sentence} for each in self.evidence
            ],
        }


def score(left: Features, right: Features) -> Score:
    """The score of two entities. It does not matter which is left. Without a name in common it is never a match."""
    evidence = tuple(found for found in (compare(left, right) for compare in COMPARATORS) if found is not None)
    bits = PRIOR_BITS + sum(each.bits for each in evidence)
    named = any(each.comparator == "names" and each.bits > 0 for each in evidence)
    if bits >= MATCH_BITS and named:
        return Score(bits, Match.SAME, evidence)
    return Score(bits, Match.UNSURE if bits >= GREY_BITS and named else Match.DIFFERENT, evidence)


def score_pairs(
    new: Sequence[Features], known: Mapping[str, Features], pairs: Sequence[tuple[int, str]]
) -> list[Score]:
    """The scores of `pairs` (an index into `new`, a key of `known`), in their order."""
    return [score(new[index], known[name]) for index, name in pairs]

"""The score of a pair: a sum of weights, each with its sentence, and what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tenant_pipeline.linking.comparators.evidence import Evidence
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.model import PLACES, Columns, Model


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
    prior_bits: float = PLACES.prior_bits

    @property
    def probability(self) -> float:
        """The probability that the two are one, 0–1."""
        return 1 / (1 + 2 ** -max(-60.0, min(60.0, self.bits)))

    def explanation(self) -> dict[str, Any]:
        """The score's parts, for a person to read."""
        return {
            "bits": round(self.bits, 2),
            "prior_bits": self.prior_bits,
            "parts": [
                {"comparator": each.comparator, "bits": each.bits, "says": each.sentence} for each in self.evidence
            ],
        }


def score(left: Features, right: Features, model: Model = PLACES) -> Score:
    """The score of two entities. It does not matter which is left. Without a name in common it is never a match."""
    return score_columns(model.prepare(left), model.prepare(right), model)


def score_columns(left: Columns, right: Columns, model: Model) -> Score:
    """The score of two records whose columns are made."""
    evidence = model.evidence_of(model.levels_of(left, right))
    bits = model.prior_bits + sum(each.bits for each in evidence)
    named = any(each.comparator in model.naming and each.bits > 0 for each in evidence)
    return Score(bits, match_of(bits, named, model), evidence, model.prior_bits)


def match_of(bits: float, named: bool, model: Model) -> Match:
    """What so many bits mean, where a name speaks for the pair or none does."""
    if bits >= model.match_bits and named:
        return Match.SAME
    return Match.UNSURE if bits >= model.grey_bits and named else Match.DIFFERENT


def score_pairs(
    new: Sequence[Features],
    known: Mapping[str, Features],
    pairs: Sequence[tuple[int, str]],
    model: Model = PLACES,
) -> list[Score]:
    """The scores of `pairs` (an index into `new`, a key of `known`), in their order.

    How rare a name, a number or a site is, is counted among all of `new` and `known`.
    """
    if not pairs:
        return []
    place = {name: len(new) + number for number, name in enumerate(known)}
    ends = [(index, place[name]) for index, name in pairs]
    of_pairs = sorted({each for both in ends for each in both})
    records = model.reweighed([model.prepare(each) for each in (*new, *known.values())], of_pairs)
    return [score_columns(records[left], records[right], model) for left, right in ends]

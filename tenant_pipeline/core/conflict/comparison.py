"""The words of a comparison: verdicts, candidates, and the item that stands in the conflict matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from tenant_pipeline.core.statement import AI_TIER

AI_ORIGINS = frozenset({"chatgpt", "claude", "gemini", "perplexity"})
"""Origins that repeat what others have said."""


class Verdict(StrEnum):
    """What comparing two values says. `refines` means that one says the same as the other, only more finely."""

    SAME = "same"
    REFINES = "refines"
    DIFFERS = "differs"
    INCOMPARABLE = "incomparable"


SEVERITY = {Verdict.SAME: 0, Verdict.REFINES: 1, Verdict.INCOMPARABLE: 2, Verdict.DIFFERS: 3}


@dataclass(frozen=True)
class Compared:
    """A verdict and the name of the rule that gave it."""

    verdict: Verdict
    rule: str


@dataclass(frozen=True)
class Candidate:
    """A value as one source has it, with all that the ranking looks at.

    Dates are ISO 8601 text, "" for none; `valid_from` and `valid_to` say when the value held, not when it was seen.
    """

    source_id: str
    statement_id: str
    value: str
    raw_value: str
    locator: str
    authority_tier: int
    origin: str
    observed_at: str
    valid_from: str = ""
    valid_to: str = ""

    @property
    def is_witness(self) -> bool:
        """Whether the value counts as confirmed by it: what an AI wrote confirms nothing."""
        return self.origin not in AI_ORIGINS and self.authority_tier < AI_TIER

    def as_json(self) -> dict[str, Any]:
        """The candidate as it is kept."""
        return asdict(self)


@dataclass(frozen=True)
class ConflictItem:
    """One cell of the matrix: an entity's property (in one language) that sources write differently.

    `candidates_digest` names exactly these candidates under these rules: what a sign-off covers. `explanation` tells
    how the proposal came about, a sentence a step. `advice` is how likely each value is by the record of those who say
    it (0–1), empty where nothing is known of them. `needs_person` says that the rules must not decide alone, and
    `needs_person_reason` why. `proposed_values` are the proposed one and, where values are said to have held one after
    the other, what is proposed for each of the other times.
    """

    canonical_id: str
    type: str
    property: str
    lang: str
    verdict: Verdict
    rule: str
    candidates: tuple[Candidate, ...]
    candidates_digest: str
    proposed_value: str | None
    proposed_rule: str
    needs_person: bool
    needs_person_reason: str = ""
    explanation: tuple[str, ...] = ()
    advice: Mapping[str, float] = field(default_factory=dict)
    proposed_values: tuple[str, ...] = ()

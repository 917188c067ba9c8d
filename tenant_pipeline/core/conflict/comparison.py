"""The words of a comparison: verdicts, candidates, and the item that stands in the conflict matrix."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


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
    """A value as one source has it, with all that the ranking looks at."""

    source_id: str
    statement_id: str
    value: str
    raw_value: str
    locator: str
    authority_tier: int
    origin: str
    observed_at: str

    def as_json(self) -> dict[str, Any]:
        """The candidate as it is kept."""
        return asdict(self)


@dataclass(frozen=True)
class ConflictItem:
    """One cell of the matrix: an entity's property (in one language) that sources write differently.

    `candidates_digest` names exactly these candidates under these rules: what a sign-off covers.
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

"""A dispute with a known outcome: who claims what of one thing's property, and what is true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tenant_pipeline.core.conflict.comparison import Candidate
from tenant_pipeline.core.vocabulary import PropertyDefinition

Chain = tuple[frozenset[str], ...]
"""Values from the coarsest to the finest: each level says the same as the one before, only more finely."""


@dataclass(frozen=True)
class Dispute:
    """One question about an `item`: `candidates` are the claims that are heard, `truth` the values that are right.

    Nobody knows what is true where `truth` is empty. `asked` are the statements that the question is made of, where
    claims made elsewhere are heard too. `chains` order values by how fine they are.
    """

    key: str
    item: str
    definition: PropertyDefinition
    lang: str
    candidates: tuple[Candidate, ...]
    truth: frozenset[str]
    chains: tuple[Chain, ...]
    asked: frozenset[str]

    @property
    def values(self) -> frozenset[str]:
        """The values to choose from."""
        return frozenset(one.value for one in self.candidates)

    @property
    def conflicting(self) -> bool:
        """Whether the claims say different things at all."""
        return len(self.values) > 1

    def resolved_by(self, value: str, *, to_the_letter: bool = False) -> bool:
        """Whether a choice is right: a true value, or one on the same chain as a true value."""
        if value in self.truth:
            return True
        if to_the_letter:
            return False
        return any(
            any(value in level for level in chain) and any(level & self.truth for level in chain)
            for chain in self.chains
        )


@dataclass(frozen=True)
class DisputedData:
    """The disputes of one data set, and all claims of it: item, source and value."""

    name: str
    disputes: tuple[Dispute, ...]
    claims: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...] = field(default=())


Choice = Callable[[Dispute], str]
"""How a value is chosen."""


def majority(dispute: Dispute) -> str:
    """The value that most claims say; of equals the first claimed. Claims of other questions are not asked."""
    votes = Counter(one.value for one in dispute.candidates if one.statement_id in dispute.asked)
    return votes.most_common(1)[0][0]


def first_claimed(dispute: Dispute) -> str:
    """The value of the first claim."""
    return next(one.value for one in dispute.candidates if one.statement_id in dispute.asked)

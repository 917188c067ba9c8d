"""Which value the rules propose. They propose: a person signs.

Each rule narrows the candidates that are left, in the order of the contract; the rule after which one value is left is
the one that decided. Every step is told, and every candidate is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import combinations
from math import exp, log
from typing import TypeVar

from tenant_pipeline.core.conflict.comparison import Candidate, Verdict
from tenant_pipeline.core.conflict.order import HUMAN_PIN
from tenant_pipeline.core.conflict.standing import SourceStanding, witness_of
from tenant_pipeline.core.conflict.truth_discovery import FALSE_VALUES
from tenant_pipeline.core.pseudonym import without_replacements
from tenant_pipeline.core.sentences.saying import say

ONE_VALUE = "one_value"
HALF_LIFE_DAYS = 730
"""After so many days without being observed anew, a source's word weighs half."""
LEAST_LEAD = log(2)
"""How much more the record of one value must weigh than the next for trust to decide: twice as likely."""
MOST_VALUES = 40
"""Of one item, up to so many distinct values are compared each with each. More are compared with the proposed one, who
writes a value to the letter alone confirms it, and a person is asked: perhaps several things were taken for one."""

Compare = Callable[[str, str], Verdict]
"""What comparing two values of the property says."""

_Each = TypeVar("_Each")


@dataclass(frozen=True)
class Proposal:
    """The proposed value, the rule that decided, and whether and why the rules must not decide alone.

    `explanation` has a sentence a step; `advice` is how likely each value is (0–1) by the record of its sources.
    """

    value: str
    rule: str
    needs_person_reason: str = ""
    explanation: tuple[str, ...] = ()
    advice: Mapping[str, float] = field(default_factory=dict)

    @property
    def needs_person(self) -> bool:
        """Whether the rules must not decide alone."""
        return bool(self.needs_person_reason)


@dataclass(frozen=True)
class _Case:
    """All that a rule may look at beside the candidates that are left."""

    every: Sequence[Candidate]
    said: Mapping[str, Sequence[Candidate]]
    """Those who say each value."""

    compare: Compare
    standings: Mapping[str, SourceStanding]

    def same(self, left: str, right: str) -> bool:
        return left == right or self.compare(left, right) is Verdict.SAME

    def pairs(self, among: Sequence[_Each]) -> Iterable[tuple[_Each, _Each]]:
        """Each with each; where there are too many values, the first with each."""
        if len(self.said) > MOST_VALUES:
            return ((among[0], other) for other in among[1:])
        return combinations(among, 2)

    def alike(self, value: str) -> Sequence[Candidate]:
        """Those who say the same; where there are too many values, those who write it the same."""
        if len(self.said) > MOST_VALUES:
            return self.said[value]
        return [one for other, those in self.said.items() if self.same(other, value) for one in those]

    def witnesses(self, value: str, *, to_the_letter: bool = False) -> set[tuple[str, ...]]:
        """Who says the same, of whatever tier: sources that are not independent are one, an AI is none."""
        those = self.said[value] if to_the_letter else self.alike(value)
        return {witness_of(one.source_id, self.standings) for one in those if one.is_witness}


_Rule = Callable[[Sequence[Candidate], _Case], Sequence[Candidate]]


def _drop_invalid(left: Sequence[Candidate], case: _Case) -> Sequence[Candidate]:
    """Values of which pseudonymisation left nothing to read give way to values that can be read."""
    return [one for one in left if without_replacements(one.value, "").strip()] or left


def _authority_tier(left: Sequence[Candidate], case: _Case) -> Sequence[Candidate]:
    """The values of the best authority tier (1 is best)."""
    best = min(one.authority_tier for one in left)
    return [one for one in left if one.authority_tier == best]


def _trust_decayed_by_age(left: Sequence[Candidate], case: _Case) -> Sequence[Candidate]:
    """The value that the record of its sources makes at least twice as likely as any that contradicts it."""
    votes = _votes(left, case)
    if not votes:
        return left
    best = max(votes.values())
    return [one for one in left if votes[one.value] > best - LEAST_LEAD]


def _independent_corroboration(left: Sequence[Candidate], case: _Case) -> Sequence[Candidate]:
    """The values that most independent sources say, and of these the most usual way to write them."""
    said = {value: _confirmed(value, case) for value in {one.value for one in left}}
    most = max(said.values())
    return [one for one in left if said[one.value] == most]


def _recency(left: Sequence[Candidate], case: _Case) -> Sequence[Candidate]:
    """The values that were observed last; a source that does not say when comes after those that do."""
    latest = max(one.observed_at for one in left)
    return [one for one in left if one.observed_at == latest]


def _statement_id(left: Sequence[Candidate], case: _Case) -> Sequence[Candidate]:
    """The value of the first statement by its id: arbitrary, but always the same."""
    return [min(left, key=lambda one: (one.statement_id, one.value))]


RANKING: Mapping[str, tuple[_Rule, str]] = {
    "drop_invalid": (_drop_invalid, "Values that can be read come before values that were made unreadable."),
    "authority_tier": (_authority_tier, "Sources of the best authority tier come first."),
    "trust_decayed_by_age": (
        _trust_decayed_by_age,
        "Sources that are right more often, and were asked more lately, weigh more.",
    ),
    "independent_corroboration": (
        _independent_corroboration,
        "What more independent sources say comes first; copies count once, AI text not at all.",
    ),
    "recency": (_recency, "What was observed last comes first."),
    "statement_id": (_statement_id, "Nothing tells the values apart; the first statement by its id stands."),
}
"""The order of resolution after a person's pin: each rule's name, and the sentence that a person reads."""


def propose(
    candidates: Sequence[Candidate],
    compare: Compare,
    standings: Mapping[str, SourceStanding] | None = None,
    *,
    pin: str | None = None,
) -> Proposal:
    """The value that ranks first. `pin` is the value that a person has chosen: it stands before every rule."""
    if pin is not None:
        return Proposal(pin, HUMAN_PIN, explanation=(say("A person has chosen this value."),))
    by_value: dict[str, list[Candidate]] = {}
    for one in candidates:
        by_value.setdefault(one.value, []).append(one)
    case = _Case(candidates, by_value, compare, standings or {})
    if len(by_value) == 1:
        said = say("All sources say the same once it is written in one way.")
        return Proposal(candidates[0].value, ONE_VALUE, explanation=(said,))
    advice = _advice(candidates, case)
    steps = []
    left = candidates
    for name, (rule, sentence) in RANKING.items():
        before = {one.value for one in left}
        left = rule(left, case)
        after = {one.value for one in left}
        if after < before:
            steps.append(
                say(
                    "{sentence:sentence} {left:figure} of {before:figure} values are left.",
                    sentence=sentence,
                    left=len(after),
                    before=len(before),
                )
            )
        if len(after) == 1:
            reason = _why_a_person(candidates, before, name, case)
            return Proposal(left[0].value, name, reason, (*steps, *_of_copies(case)), advice)
    raise AssertionError("The last rule leaves one candidate")


def _why_a_person(candidates: Sequence[Candidate], last: set[str], rule: str, case: _Case) -> str:
    """Why the rules must not decide alone, "" where they may. `last` are the values that the last rule chose from."""
    first = sorted({(one.source_id, one.value) for one in candidates if one.authority_tier == 1})
    for (source, one), (other_source, other) in case.pairs(first):
        if source != other_source and one != other and not case.same(one, other):
            return say("Sources of tier 1 contradict each other.")
    if rule == "statement_id" and any(not case.same(one, other) for one, other in case.pairs(sorted(last))):
        return say("Nothing tells the values apart but the order of their statements.")
    return ""


def _of_copies(case: _Case) -> list[str]:
    sources = {one.source_id for one in case.every}
    witnesses = {witness_of(source, case.standings) for source in sources}
    groups = {group for group in witnesses if len(sources.intersection(group)) > 1}
    return [
        say("{count:figure} sources repeat one another and count as one witness.", count=len(group))
        for group in sorted(groups)
    ]


def _confirmed(value: str, case: _Case) -> tuple[int, int]:
    return len(case.witnesses(value)), len(case.witnesses(value, to_the_letter=True))


def _votes(left: Sequence[Candidate], case: _Case) -> dict[str, float]:
    """What the record of those who say each value weighs, in nats; empty where nothing is known of any of them."""
    if not any(one.source_id in case.standings for one in left if one.is_witness):
        return {}
    weight = partial(_weight, case=case, newest=max((one.observed_at for one in case.every), default=""))
    votes = {}
    for value in {one.value for one in left}:
        by_witness: dict[tuple[str, ...], float] = {}
        for one in case.alike(value):
            if one.is_witness:
                witness = witness_of(one.source_id, case.standings)
                by_witness[witness] = max(by_witness.get(witness, 0.0), weight(one))
        votes[value] = sum(by_witness.values())
    return votes


def _weight(one: Candidate, case: _Case, newest: str) -> float:
    """The logarithm of how much likelier a value is for being said by this source, halved for each half-life."""
    standing = case.standings.get(one.source_id)
    if standing is None:
        return 0.0
    vote = max(0.0, log(FALSE_VALUES * standing.trust / (1 - standing.trust)))
    halved: float = 0.5 ** (_days_between(one.observed_at, newest) / HALF_LIFE_DAYS)
    return vote * halved


def _days_between(observed: str, newest: str) -> int:
    """Days by which the one was observed before the other; none where either is not known."""
    try:
        return max(0, (date.fromisoformat(newest[:10]) - date.fromisoformat(observed[:10])).days)
    except ValueError:
        return 0


def _advice(candidates: Sequence[Candidate], case: _Case) -> dict[str, float]:
    """How likely each value is by the record of its sources, as in truth discovery; rounded to a hundredth."""
    votes = _votes(candidates, case)
    if not votes:
        return {}
    highest = max(votes.values())
    lifted = {value: exp(vote - highest) for value, vote in votes.items()}
    unsaid = max(0, FALSE_VALUES + 1 - len(votes)) * exp(-highest)
    total = sum(lifted.values()) + unsaid
    return {value: round(share / total, 2) for value, share in sorted(lifted.items())}

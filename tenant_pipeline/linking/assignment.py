"""Who is who among the pairs that were scored: the surest pair first, and never two things for one.

Greedy on one common order of all pairs, so nobody would rather be with somebody who would rather be with them (Gale and
Shapley, "College admissions and the stability of marriage", 1962). A row of an earlier batch gives way to a surer one
and is matched again, so the outcome does not depend on where a batch ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tenant_pipeline.linking.clusters import Clusters
from tenant_pipeline.linking.entity_index import Holder, Proposal
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.identifiers import by_scheme, contradict
from tenant_pipeline.linking.pair import pair_ends
from tenant_pipeline.linking.score import Match, Score

CLEAR_BITS = 1.0
"""By so much the best of several known things must lead to be linked without asking: twice as likely."""
MOST_PROPOSALS = 3
"""Of one entity, so many pairs are put to people: the likeliest."""


@dataclass(frozen=True)
class Pair:
    """Two ids that may be one thing, with their score. `left` is new; `judged` is a person's word on it, or ""."""

    left: str
    right: str
    score: Score
    judged: str = ""

    @property
    def rank(self) -> tuple[bool, float, str, str]:
        """Its place in the order: people's word first, then the surest."""
        return (self.judged != "same", -self.score.bits, self.left, self.right)

    @property
    def match(self) -> Match:
        """What the pair is taken for: people's word stands."""
        return Match(self.judged) if self.judged else self.score.match


@dataclass
class _Group:
    """What a cluster has that keeps others out."""

    known: str
    tables: set[str]
    schemes: dict[str, set[str]]


@dataclass
class Assignment:
    """The outcome: for each new id the pair that attached it to another, its canonical id, what goes to people, and
    the homes of earlier rows that gave way."""

    attached: dict[str, Pair] = field(default_factory=dict)
    canonical: dict[str, str] = field(default_factory=dict)
    proposals: list[Proposal] = field(default_factory=list)
    displaced: list[str] = field(default_factory=list)


def assign(
    new: Mapping[str, Features],
    known: Mapping[str, Features],
    pairs: Sequence[Pair],
    *,
    apart: Sequence[tuple[str, str]],
    holders: Mapping[tuple[str, str], Holder],
    keyless: frozenset[str],
) -> Assignment:
    """Join the `new` (by their own ids) to `known` canonical entities and to one another.

    `apart` are the ids that people have judged different or unsure: they never meet, be it by way of others.
    `holders` are the rows that known entities have been given to already, by (canonical id, table). In a table that
    is not `keyless` each row is a thing of its own. No two known entities are ever joined.
    """
    if not pairs:
        return Assignment(canonical={name: name for name in new})
    return _Assigning(new, known, pairs, apart, dict(holders), keyless).run()


class _Assigning:
    def __init__(
        self,
        new: Mapping[str, Features],
        known: Mapping[str, Features],
        pairs: Sequence[Pair],
        apart: Sequence[tuple[str, str]],
        holders: dict[tuple[str, str], Holder],
        keyless: frozenset[str],
    ) -> None:
        self._new, self._holders = new, holders
        self._pairs = sorted(pairs, key=lambda pair: pair.rank)
        self._clusters = Clusters(apart)
        self._groups = {name: _Group(name, set(), by_scheme(each.identifiers)) for name, each in known.items()}
        for name, each in new.items():
            tables = set() if each.table in keyless else {each.table}
            self._groups[name] = _Group("", tables, by_scheme(each.identifiers))
        for canonical, table in holders:
            if canonical in known and table not in keyless:
                self._groups[canonical].tables.add(table)
        self._rivals: dict[str, list[Pair]] = {}
        for pair in self._pairs:
            if pair.match is Match.SAME and pair.right in known:
                self._rivals.setdefault(pair.left, []).append(pair)
        self._tree: dict[str, list[tuple[str, Pair]]] = {}
        self._outcome = Assignment()

    def run(self) -> Assignment:
        doubtful = []
        for pair in self._pairs:
            if pair.match is Match.DIFFERENT or self._root(pair.left) == self._root(pair.right):
                continue
            if pair.match is Match.UNSURE or not self._join(pair):
                doubtful.append(pair)
        for name in self._new:
            group = self._groups[self._root(name)]
            together = self._clusters.members(name)
            self._outcome.canonical[name] = group.known or min(together)
        self._attach()
        self._propose(doubtful)
        return self._outcome

    def _root(self, name: str) -> str:
        return self._clusters.root(name)

    def _join(self, pair: Pair) -> bool:
        left, right = self._groups[self._root(pair.left)], self._groups[self._root(pair.right)]
        if (
            (left.known and right.known)
            or self._clusters.kept_apart(pair.left, pair.right)
            or contradict(left.schemes, right.schemes)
            or (not pair.judged and self._has_a_rival(pair))
        ):
            return False
        if left.tables & right.tables and not self._give_way(pair, left, right):
            return False
        for name, group in ((pair.left, left), (pair.right, right)):
            self._groups.pop(self._root(name), group)
        root = self._clusters.join(pair.left, pair.right)
        schemes = {
            scheme: left.schemes.get(scheme, set()) | right.schemes.get(scheme, set())
            for scheme in left.schemes.keys() | right.schemes.keys()
        }
        self._groups[root] = _Group(left.known or right.known, left.tables | right.tables, schemes)
        self._tree.setdefault(pair.left, []).append((pair.right, pair))
        self._tree.setdefault(pair.right, []).append((pair.left, pair))
        return True

    def _has_a_rival(self, pair: Pair) -> bool:
        """Whether another known thing is nearly as likely, and still to be had."""
        rivals = self._rivals.get(pair.left, [])
        return any(
            rival.right != pair.right
            and abs(rival.score.bits - pair.score.bits) < CLEAR_BITS
            and not self._groups[self._root(rival.right)].tables & self._groups[self._root(pair.left)].tables
            for rival in rivals
        )

    def _give_way(self, pair: Pair, left: _Group, right: _Group) -> bool:
        """Whether the one row that is in the way belongs to an earlier batch and is less sure: it is then let go."""
        tables = left.tables & right.tables
        known = left.known or right.known
        table = min(tables)
        holder = self._holders.get((known, table))
        if len(tables) > 1 or holder is None or holder.bits is None or holder.bits >= pair.score.bits:
            return False
        del self._holders[known, table]
        self._outcome.displaced.append(holder.home_id)
        return True

    def _attach(self) -> None:
        """Hang each new id on the one that it was joined to, from the canonical one outwards."""
        for start in sorted({*self._outcome.canonical.values()}):
            reached, waiting = {start}, [start]
            while waiting:
                name = waiting.pop()
                for other, pair in self._tree.get(name, []):
                    if other not in reached:
                        reached.add(other)
                        waiting.append(other)
                        self._outcome.attached[other] = pair

    def _propose(self, doubtful: Sequence[Pair]) -> None:
        asked: dict[str, int] = {}
        said: set[tuple[str, str]] = set()
        for pair in sorted(doubtful, key=lambda each: each.rank):
            left = self._outcome.canonical[pair.left]
            right = self._outcome.canonical.get(pair.right, pair.right)
            ends = pair_ends(left, right)
            one, other = (self._groups[self._root(name)] for name in (pair.left, pair.right))
            if left == right or ends in said or asked.get(pair.left, 0) >= MOST_PROPOSALS:
                continue
            if contradict(one.schemes, other.schemes) or pair.judged:
                continue
            said.add(ends)
            asked[pair.left] = asked.get(pair.left, 0) + 1
            self._outcome.proposals.append(Proposal(*ends, pair.score.probability, explanation(pair)))


def explanation(pair: Pair) -> dict[str, Any]:
    """The parts of a pair's score, and a person's word where there is one."""
    return pair.score.explanation() | ({"judged": pair.judged} if pair.judged else {})

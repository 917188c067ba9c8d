"""What belongs together when some pairs are one and some are not: the surest first, never across a `different`.

Kruskal's order over the pairs, with cannot-link constraints on whole clusters (Wagstaff et al., "Constrained k-means
clustering with background knowledge", ICML 2001): when A and C were judged different, A-B and B-C are not both joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime


class Clusters:
    """A growing partition of names. Whatever was not joined is a cluster of its own."""

    def __init__(self, apart: Iterable[tuple[str, str]] = ()) -> None:
        self._parent: dict[str, str] = {}
        self._members: dict[str, list[str]] = {}
        self._apart: dict[str, set[str]] = {}
        self.keep_apart(apart)

    def keep_apart(self, pairs: Iterable[tuple[str, str]]) -> None:
        """From now on join no clusters between which one of these pairs lies."""
        for left, right in pairs:
            self._apart.setdefault(left, set()).add(right)
            self._apart.setdefault(right, set()).add(left)

    def root(self, name: str) -> str:
        """The name that stands for the cluster of `name`, for now."""
        path = []
        while (parent := self._parent.get(name, name)) != name:
            path.append(name)
            name = parent
        self._parent.update(dict.fromkeys(path, name))
        return name

    def members(self, name: str) -> list[str]:
        """The names in the cluster of `name`."""
        root = self.root(name)
        return self._members.get(root, [root])

    def kept_apart(self, left: str, right: str) -> list[tuple[str, str]]:
        """The pairs judged different that stand between the clusters of the two, each in order, sorted."""
        few, many = sorted((self.members(left), self.members(right)), key=len)
        other = self.root(many[0])
        return sorted(
            (min(name, foe), max(name, foe))
            for name in few
            for foe in self._apart.get(name, ())
            if self.root(foe) == other
        )

    def join(self, left: str, right: str) -> str:
        """Make one cluster of the two and return the name that stands for it."""
        few, many = sorted((self.root(left), self.root(right)), key=lambda root: len(self.members(root)))
        if few != many:
            self._members[many] = [*self.members(many), *self.members(few)]
            self._members.pop(few, None)
            self._parent[few] = many
        return many


@dataclass(frozen=True)
class Tie:
    """A pair held to be one: by a person's word, or by linking with so many bits."""

    left: str
    right: str
    bits: float
    judged: bool


@dataclass(frozen=True)
class Partition:
    """The canonical id of each name, and the ties that could not hold: each with the `different` that stands against
    it."""

    canonical: Mapping[str, str]
    broken: tuple[tuple[Tie, tuple[str, str]], ...]


def partition(
    born: Mapping[str, datetime],
    ties: Iterable[Tie],
    apart: Iterable[tuple[str, str]],
    doubted: Iterable[tuple[str, str]] = (),
) -> Partition:
    """Clusters of the names by their ties. People's ties hold before linking's, and surer ones before others.

    `apart` were judged different; `doubted` are pairs that people were unsure of, across which linking ties nothing.
    The canonical id of a cluster is its oldest name, the lesser of two born together: it stays when others join, and
    a name that leaves is its own again.
    """
    clusters = Clusters(apart)
    unsure = list(doubted)
    broken = []
    for tie in sorted(ties, key=lambda tie: (not tie.judged, -tie.bits, tie.left, tie.right)):
        if clusters.root(tie.left) == clusters.root(tie.right):
            continue
        if not tie.judged and unsure:
            clusters.keep_apart(unsure)
            unsure = []
        if between := clusters.kept_apart(tie.left, tie.right):
            broken.append((tie, between[0]))
        else:
            clusters.join(tie.left, tie.right)
    canonical = {}
    for name in born:
        if name not in canonical:
            together = clusters.members(name)
            oldest = min(together, key=lambda each: (born[each], each))
            canonical.update(dict.fromkeys(together, oldest))
    return Partition(canonical, tuple(broken))

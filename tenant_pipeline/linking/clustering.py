"""From scored pairs to things: one to one between two sources, or clusters that hold together."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tenant_pipeline.linking.bulk import ScoredPair
from tenant_pipeline.linking.model import Model

CLEAR_BITS = 1.1
"""By more than so much the best candidate must lead for a link: else people are asked which it is."""


def one_to_one(pairs: Iterable[ScoredPair], model: Model) -> list[ScoredPair]:
    """The links of two sources neither of which holds a thing twice: the surest first, each record once.

    `pairs` come the surest first. A record with two candidates that are nearly as good is linked to neither.
    """
    sure = [each for each in pairs if each.bits >= model.match_bits]
    used: set[int] = set()
    links = []
    rivals: dict[int, list[ScoredPair]] = {}
    for pair in sure:
        rivals.setdefault(pair.left, []).append(pair)
        rivals.setdefault(pair.right, []).append(pair)
    for pair in sure:
        if pair.left in used or pair.right in used:
            continue
        near = (
            other
            for record in (pair.left, pair.right)
            for other in rivals[record]
            if other is not pair and other.bits > pair.bits - CLEAR_BITS
        )
        if all(other.left in used or other.right in used for other in near):
            used.update((pair.left, pair.right))
            links.append(pair)
    return links


def clusters(
    pairs: Iterable[ScoredPair], model: Model, *, contradict: Callable[[int, int], bool] = lambda one, other: False
) -> list[list[int]]:
    """Groups of records that are one thing: connected by sure pairs, but cut at links that the rest speaks against.

    The surest pairs (`pairs` come in that order) join groups first. Two groups are joined only if no record of one
    contradicts (by identifiers) one of the other, and if the mean over all pairs between them reaches the grey zone,
    where a pair that was not kept counts as the prior: average linkage (R. R. Sokal and C. D. Michener, 1958).
    """
    kept = list(pairs)
    bits = {(each.left, each.right): each.bits for each in kept}
    group: dict[int, list[int]] = {}
    for pair in kept:
        if pair.bits < model.match_bits:
            continue
        one, other = group.setdefault(pair.left, [pair.left]), group.setdefault(pair.right, [pair.right])
        if one is other:
            continue
        between = [(min(a, b), max(a, b)) for a in one for b in other]
        mean = sum(bits.get(each, model.prior_bits) for each in between) / len(between)
        if mean < model.grey_bits or any(contradict(*each) for each in between):
            continue
        one += other
        for each in other:
            group[each] = one
    return sorted(map(sorted, {id(each): each for each in group.values() if len(each) > 1}.values()))

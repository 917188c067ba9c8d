"""Linking a data set's tables with our engine, and counting what was found against its gold pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product

from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.linking.tables import GoldTables, Pair
from tenant_pipeline.evaluation.report import WorstError
from tenant_pipeline.linking.bulk import BulkLinking
from tenant_pipeline.linking.clustering import clusters, one_to_one
from tenant_pipeline.linking.model import PLACES, Model
from tenant_pipeline.linking.score import Match, score_pairs

MOST_ERRORS = 20


def linked(tables: GoldTables, model: Model = PLACES) -> tuple[set[Pair], Model]:
    """The pairs that the engine links, by record id, and the model with the prior that it estimated.

    One to one between two tables without duplicates, else in clusters; of those, between two tables, the pairs with one
    end in each.
    """
    with BulkLinking(model) as linking:
        ids = dict(zip(linking.add(tables.left.values(), 0), tables.left, strict=True))
        ids.update(zip(linking.add(tables.right.values(), 1), tables.right, strict=True))
        linking.find_pairs(within_sources=not tables.right)
        settled = replace(model, prior_bits=linking.prior_bits)
        if tables.unique and tables.right:
            return {(ids[each.left], ids[each.right]) for each in one_to_one(linking.scored(), model)}, settled
        grouped = clusters(linking.scored(), model)
    together = [sorted(ids[each] for each in group) for group in grouped]
    if not tables.right:
        return {pair for group in together for pair in combinations(group, 2)}, settled
    halves = [
        [[each for each in group if each in table] for table in (tables.left, tables.right)] for group in together
    ]
    return {pair for lefts, rights in halves for pair in product(lefts, rights)}, settled


def counted(tables: GoldTables, found: set[Pair], judged: frozenset[Pair] | None = None) -> Counts:
    """Links against gold pairs; with `judged` only pairs whose truth is known count."""
    kept = found if judged is None else found & judged
    right = len(kept & tables.matches)
    return Counts(right, len(kept) - right, len(tables.matches) - right)


def sure_by_fixed_prior(tables: GoldTables, model: Model) -> float:
    """The share of the gold pairs that are surely one by the model, with the prior of the pipeline's own stage."""
    pairs = _placed(tables, sorted(tables.matches))
    scores = score_pairs(list(tables.left.values()), tables.right or tables.left, pairs, model)
    return sum(each.match is Match.SAME for each in scores) / max(1, len(scores))


def _placed(tables: GoldTables, pairs: Sequence[Pair]) -> list[tuple[int, str]]:
    place = {id_: number for number, id_ in enumerate(tables.left)}
    return [(place[one], other) for one, other in pairs]


def worst_errors(tables: GoldTables, found: set[Pair], model: Model) -> tuple[WorstError, ...]:
    """The surest false links and the most clearly missed ones, each with what the model says of the pair."""
    wrong = [(pair, True) for pair in sorted(found - tables.matches)]
    wrong += [(pair, False) for pair in sorted(tables.matches - found)]
    pairs = _placed(tables, [pair for pair, _ in wrong])
    scores = score_pairs(list(tables.left.values()), tables.right or tables.left, pairs, model)
    errors = []
    for (pair, false_link), score in zip(wrong, scores, strict=True):
        parts = "; ".join(f"{each.sentence} ({each.bits:+.1f})" for each in score.evidence)
        errors.append(
            WorstError(
                f"{tables.name}: {pair[0]} and {pair[1]}",
                "two things" if false_link else "one thing",
                "one thing" if false_link else "two things",
                f"{score.bits:.1f} bits: {parts}",
                score.probability if false_link else 1 - score.probability,
            )
        )
    errors.sort(key=lambda each: (-each.weight, each.place))
    return tuple(errors[:MOST_ERRORS])

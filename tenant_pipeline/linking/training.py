"""Better weights from the data at hand: from what people decided, or without labels by expectation maximisation.

Both start from the shipped weights, which count as a number of pairs, so that a handful of pairs moves them little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.model import Model

Pattern = tuple[int | None, ...]
"""The level of each comparison that a pair shows, None where it is silent."""

SHIPPED_PAIRS = 100.0
"""The shipped weights count as so many pairs of each kind."""
ROUNDS = 25
SETTLED = 1e-4
LEAST = 1e-6


def from_judgements(model: Model, judged: Iterable[tuple[Features, Features, bool]]) -> Model:
    """The model with m and u re-estimated from pairs that people called the same (True) or different.

    The posterior mean under a Dirichlet prior that has the shipped m and u as its mean.
    """
    shown = [
        (model.levels_of(model.prepare(left), model.prepare(right)), 1.0 if same else 0.0)
        for left, right, same in judged
    ]
    return _maximised(model, model, [(pattern, 1.0, same) for pattern, same in shown], both=True)


def by_expectation_maximisation(model: Model, patterns: Sequence[tuple[Pattern, int]]) -> Model:
    """The model with m re-estimated from unlabelled pairs, `patterns` saying how many show what.

    Expectation maximisation under conditional independence (A. P. Dempster, N. M. Laird and D. B. Rubin, 1977;
    W. E. Winkler, 1988). u is kept: pairs that share a key are no sample of pairs at large.
    """
    current = model
    for _ in range(ROUNDS):
        expected = [(pattern, float(number), _probability(current, pattern)) for pattern, number in patterns]
        after = _maximised(model, current, expected, both=False)
        moved = max(
            abs(new.m - old.m)
            for one, other in zip(after.comparisons, current.comparisons, strict=True)
            for new, old in zip(one.levels, other.levels, strict=True)
        )
        current = after
        if moved < SETTLED:
            break
    return current


def _probability(model: Model, pattern: Pattern) -> float:
    weight = sum(
        comparison.levels[level].bits
        for comparison, level in zip(model.comparisons, pattern, strict=True)
        if level is not None
    )
    return float(1 / (1 + 2.0 ** -max(-60.0, min(60.0, model.prior_bits + weight))))


def _maximised(
    shipped: Model, current: Model, expected: Sequence[tuple[Pattern, float, float]], *, both: bool
) -> Model:
    weights: dict[str, Mapping[str, tuple[float, float]]] = {}
    for number, comparison in enumerate(shipped.comparisons):
        same = [0.0] * len(comparison.levels)
        different = [0.0] * len(comparison.levels)
        for pattern, count, probability in expected:
            level = pattern[number]
            if level is not None:
                same[level] += count * probability
                different[level] += count * (1 - probability)
        m_total = sum(each.m for each in comparison.levels)
        u_total = sum(each.u for each in comparison.levels)
        weights[comparison.name] = {
            level.name: (
                _mean(same[place], sum(same), level.m / m_total) * m_total,
                _mean(different[place], sum(different), level.u / u_total) * u_total if both else level.u,
            )
            for place, level in enumerate(comparison.levels)
        }
    return current.with_weights(weights)


def _mean(count: float, total: float, shipped: float) -> float:
    return max(LEAST, (count + SHIPPED_PAIRS * shipped) / (total + SHIPPED_PAIRS))

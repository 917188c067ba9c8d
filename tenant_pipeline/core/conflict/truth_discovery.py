"""How often sources are right, and which values are, where nobody can tell: estimated from one another.

ACCU of X. L. Dong, L. Berti-Équille and D. Srivastava, "Integrating conflicting data: the role of source dependence"
(VLDB 2009): a value is as likely as its sources are accurate, and a source as accurate as its values are likely.
Accuracy is smoothed towards a prior, so that a source of which little is known is neither trusted nor condemned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

FALSE_VALUES = 10
"""How many wrong values a property is taken to have: agreeing on one by chance is as unlikely."""
PRIOR_ACCURACY = 0.8
PRIOR_CLAIMS = 2.0
"""What is presumed of a source before it is compared with others, and how many claims that presumption weighs."""
ROUNDS = 30
SETTLED = 1e-4
_LEAST, _MOST = 0.02, 0.98


@dataclass(frozen=True)
class Estimate:
    """`accuracy` of each source (0–1), and `likelihood` of each claim's value, in the order of the claims."""

    accuracy: Mapping[str, float]
    likelihood: np.ndarray[tuple[int], np.dtype[np.float64]]


def estimate(claims: pd.DataFrame, weights: Mapping[str, float] | None = None, *, rounds: int = ROUNDS) -> Estimate:
    """Estimate from claims: a frame with the columns item, source_id and value, distinct and without nulls.

    `weights` (0–1) say how much of a source's vote is its own; 1 where none is given. One round is a vote in which all
    are trusted alike. Deterministic; the order of rows does not matter but for rounding.
    """
    sources, names = pd.factorize(claims["source_id"], sort=True)
    items = pd.factorize(claims["item"])[0]
    values = claims.groupby(["item", "value"], sort=False).ngroup().to_numpy()
    count = int(values.max()) + 1 if len(values) else 0
    item_of_value = np.zeros(count, dtype=np.int64)
    item_of_value[values] = items
    distinct = np.bincount(item_of_value, minlength=int(items.max()) + 1 if len(items) else 0)
    unsaid = np.maximum(FALSE_VALUES + 1 - distinct, 0)
    own = np.array([1.0 if weights is None else weights.get(str(name), 1.0) for name in names])
    claimed = np.bincount(sources, minlength=len(names))
    accuracy = np.full(len(names), PRIOR_ACCURACY)
    likelihood = np.zeros(count)
    for _ in range(rounds):
        vote = own * np.log(FALSE_VALUES * accuracy / (1 - accuracy))
        score = np.bincount(values, vote[sources], minlength=count)
        highest = np.zeros(len(distinct))
        np.maximum.at(highest, item_of_value, score)
        lifted = np.exp(score - highest[item_of_value])
        total = np.bincount(item_of_value, lifted, minlength=len(distinct)) + unsaid * np.exp(-highest)
        likelihood = lifted / total[item_of_value]
        right = np.bincount(sources, likelihood[values], minlength=len(names))
        updated = np.clip((PRIOR_CLAIMS * PRIOR_ACCURACY + right) / (PRIOR_CLAIMS + claimed), _LEAST, _MOST)
        moved = float(np.abs(updated - accuracy).max(initial=0.0))
        accuracy = updated
        if moved < SETTLED:
            break
    return Estimate(dict(zip(map(str, names), accuracy.tolist(), strict=True)), likelihood[values])

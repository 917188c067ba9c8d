"""Which sources copy one another: they share what is wrong, which independent sources seldom do.

The test of X. L. Dong, L. Berti-Équille and D. Srivastava (VLDB 2009), section 3: two independent sources agree on a
wrong value by chance only, two of which one copies (or that have an ancestor in common) agree on many.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log

import pandas as pd

from tenant_pipeline.core.conflict.truth_discovery import FALSE_VALUES

COPIED_SHARE = 0.8
"""How much of what it says a copier is taken to have copied."""
PRIOR_DEPENDENCE = 0.1
SURE = 0.95
LEAST_SHARED = 10
"""Two sources with fewer items in common say too little of each other."""
MOST_SOURCES_AN_ITEM = 50
"""An item that more sources speak of makes too many pairs; it counts for the first of them by id only."""


def dependent_groups(
    claims: pd.DataFrame, likelihood: pd.Series[float], accuracy: Mapping[str, float]
) -> dict[str, tuple[str, ...]]:
    """For each source that is not independent, all sources of its group, itself among them, in order.

    `claims` as for `estimate`, with the likelihood of each claim's value.
    """
    pairs = _shared(claims.assign(likelihood=likelihood.to_numpy()))
    linked: dict[str, set[str]] = {}
    for (left, right), (both_right, both_wrong, different) in sorted(pairs.items()):
        if both_right + both_wrong + different < LEAST_SHARED:
            continue
        if _dependence(accuracy[left], accuracy[right], both_wrong, different) >= SURE:
            group = linked.get(left, {left}) | linked.get(right, {right})
            for member in group:
                linked[member] = group
    return {source: tuple(sorted(group)) for source, group in sorted(linked.items())}


def _shared(claims: pd.DataFrame) -> dict[tuple[str, str], tuple[float, float, float]]:
    """For each pair of sources: items on which both say the same likely value, the same unlikely one, or different."""
    each = claims.sort_values(["item", "source_id", "value"]).drop_duplicates(["item", "source_id"])
    each = each[each.groupby("item").cumcount() < MOST_SOURCES_AN_ITEM]
    pairs = each.merge(each, on="item", suffixes=("", "_other"))
    pairs = pairs[pairs["source_id"] < pairs["source_id_other"]]
    same = pairs["value"] == pairs["value_other"]
    counted = pd.DataFrame(
        {
            "source_id": pairs["source_id"],
            "source_id_other": pairs["source_id_other"],
            "right": pairs["likelihood"].where(same, 0.0),
            "wrong": (1 - pairs["likelihood"]).where(same, 0.0),
            "apart": (~same).astype(float),
        }
    )
    sums = counted.groupby(["source_id", "source_id_other"]).sum()
    return {
        (str(left), str(right)): (both_right, both_wrong, apart)
        for left, right, both_right, both_wrong, apart in sums.reset_index().itertuples(index=False, name=None)
    }


def _dependence(left: float, right: float, both_wrong: float, different: float) -> float:
    """The probability that of two sources of these accuracies one copies the other, by Bayes' rule.

    Being right together is left out: two good sources agree all the time, and accuracies are not known when it counts.
    """
    same_right = left * right
    same_wrong = (1 - left) * (1 - right) / FALSE_VALUES
    apart = 1 - same_right - same_wrong
    mean = (left + right) / 2
    copied_wrong = COPIED_SHARE * (1 - mean) + (1 - COPIED_SHARE) * same_wrong
    copied_apart = (1 - COPIED_SHARE) * apart
    odds = (
        log(PRIOR_DEPENDENCE / (1 - PRIOR_DEPENDENCE))
        + both_wrong * log(copied_wrong / same_wrong)
        + different * log(copied_apart / apart)
    )
    return 1 / (1 + exp(-max(-700.0, min(700.0, odds))))

"""Precision, recall and F-scores from counts, with the intervals that their sample sizes leave."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

_Z = 1.959963984540054
"""The standard normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


def wilson(successes: int, trials: int) -> Interval | None:
    """The Wilson score interval of a proportion (E. B. Wilson, 1927); None without a trial."""
    if trials == 0:
        return None
    share, squared = successes / trials, _Z * _Z
    centre = (share + squared / (2 * trials)) / (1 + squared / trials)
    spread = _Z * sqrt(share * (1 - share) / trials + squared / (4 * trials * trials)) / (1 + squared / trials)
    return Interval(max(0.0, centre - spread), min(1.0, centre + spread))


@dataclass(frozen=True)
class Counts:
    """What was found against what is there: true positives, false positives, false negatives."""

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
        )

    @property
    def found(self) -> int:
        """How many were found."""
        return self.true_positives + self.false_positives

    @property
    def there(self) -> int:
        """How many the gold data holds."""
        return self.true_positives + self.false_negatives

    @property
    def precision(self) -> float | None:
        """The share of what was found that is right; None when nothing was found."""
        return self.true_positives / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """The share of what is there that was found; None when nothing is there."""
        return self.true_positives / self.there if self.there else None

    def f(self, beta: float = 1.0) -> float | None:
        """The F-score, where recall counts `beta` times as much as precision (C. J. van Rijsbergen, 1979).

        None when nothing was found and nothing is there.
        """
        weight = beta * beta
        denominator = (1 + weight) * self.true_positives + weight * self.false_negatives + self.false_positives
        return (1 + weight) * self.true_positives / denominator if denominator else None

    def f1_interval(self) -> Interval | None:
        """The interval of F1: Wilson's of TP / (TP + FP + FN), of which F1 = 2 J / (1 + J) is a monotone function."""
        jaccard = wilson(self.true_positives, self.found + self.false_negatives)
        if jaccard is None:
            return None
        return Interval(*(2 * bound / (1 + bound) for bound in (jaccard.low, jaccard.high)))

    def as_json(self) -> dict[str, Any]:
        """Counts, scores rounded to four places, and their 95 % intervals."""
        return {
            "true_positives": self.true_positives,
            "false_positives": self.false_positives,
            "false_negatives": self.false_negatives,
            "precision": _rounded(self.precision),
            "precision_95": _bounds(wilson(self.true_positives, self.found)),
            "recall": _rounded(self.recall),
            "recall_95": _bounds(wilson(self.true_positives, self.there)),
            "f1": _rounded(self.f()),
            "f1_95": _bounds(self.f1_interval()),
            "f2": _rounded(self.f(2.0)),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _bounds(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [round(interval.low, 4), round(interval.high, 4)]

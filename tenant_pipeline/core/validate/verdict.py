"""The quality gate's verdict: which share of a source's statements may fail before the source is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from tenant_pipeline.core.contract_terms import QualityThresholds
from tenant_pipeline.core.gate import Band, Gate, GateVerdict
from tenant_pipeline.core.sentences.saying import say

SAMPLE_LOCATORS = 5
"""How many failing rows a finding points to."""


@dataclass
class FailureTally:
    """How many rows failed each check so far, and where the first of them stand."""

    counts: dict[str, int] = field(default_factory=dict)
    samples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, failing: Mapping[str, npt.NDArray[np.int64]], locators: pd.Series[str]) -> None:
        """Count the failing rows of one batch, by the name of the check; `locators` are those of the batch's rows."""
        for name, rows in failing.items():
            self.counts[name] = self.counts.get(name, 0) + len(rows)
            samples = self.samples.setdefault(name, [])
            samples.extend(locators.iloc[rows[: SAMPLE_LOCATORS - len(samples)]].tolist())


def quality_verdict(statements: int, rejected: int, tally: FailureTally, thresholds: QualityThresholds) -> GateVerdict:
    """Pass, warn or fail by the share of rejected statements; fail when no statement passed.

    The findings name each check, how many statements failed it (one may fail several) and where the first stand.
    """
    findings = tuple(
        {"check": name, "count": count, "sample_locators": tally.samples[name]}
        for name, count in sorted(tally.counts.items(), key=lambda item: (-item[1], item[0]))
    )
    band, reason = _judged(statements, rejected, thresholds)
    return GateVerdict(Gate.QUALITY, band, (reason,), findings)


def _judged(statements: int, rejected: int, thresholds: QualityThresholds) -> tuple[Band, str]:
    figures = {"rejected": rejected, "statements": statements}
    if rejected == statements:
        return Band.FAIL, say(
            "Nothing passed: {rejected:figure} of {statements:figure} statements failed a check.", **figures
        )
    share = rejected / statements
    if share > thresholds.fail_share:
        return Band.FAIL, say(
            "{rejected:figure} of {statements:figure} statements ({share:figure}) failed a check, more than the"
            " {limit:figure} at which the gate closes.",
            **figures,
            share=f"{share:.2%}",
            limit=f"{thresholds.fail_share:.2%}",
        )
    if share > thresholds.warn_share:
        return Band.WARN, say(
            "{rejected:figure} of {statements:figure} statements ({share:figure}) failed a check, more than the"
            " {limit:figure} at which the gate warns.",
            **figures,
            share=f"{share:.2%}",
            limit=f"{thresholds.warn_share:.2%}",
        )
    return Band.PASS, say(
        "{rejected:figure} of {statements:figure} statements ({share:figure}) failed a check, within the limit of"
        " {limit:figure}.",
        **figures,
        share=f"{share:.2%}",
        limit=f"{thresholds.warn_share:.2%}",
    )

"""A figure of one component, as it is printed."""

from __future__ import annotations

import json
import resource
from typing import Any


def figure(
    subject: str, unit: str, value: float, *, beside: str, beside_value: float, ratio: float, **more: Any
) -> dict[str, Any]:
    """What was measured, in which unit; what it is set beside in the same run, its figure, and the ratio.

    The ratio is how many times as much as that ours takes, of time or of memory: above 1 is more.
    """
    return {
        "subject": subject, "unit": unit, "figure": _rounded(value), "beside": beside,
        "beside_figure": _rounded(beside_value), "ratio": _rounded(ratio), **more,
    }  # fmt: skip


def rate(
    subject: str, unit: str, amount: int, seconds: float, *, beside: str, beside_seconds: float, **more: Any
) -> dict[str, Any]:
    """A figure of so many a second."""
    floor = amount / beside_seconds
    return figure(
        subject, unit, amount / seconds, beside=beside, beside_value=floor, ratio=seconds / beside_seconds, **more
    )


def print_figures(*figures: dict[str, Any]) -> None:
    """Print them, with the most memory that this process held, as the one line that the caller reads."""
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    print(json.dumps({"figures": figures, "peak_mib": peak}, ensure_ascii=False))


def _rounded(value: float) -> float:
    """Three digits and a half: whole from a thousand on."""
    return round(value) if value >= 1_000 else float(f"{value:.4g}")

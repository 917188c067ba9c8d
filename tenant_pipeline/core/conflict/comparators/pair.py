"""Two values of one property, side by side, and what a rule may say of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tenant_pipeline.core.conflict.comparison import Verdict
from tenant_pipeline.core.vocabulary import PropertyDefinition


@dataclass(frozen=True)
class Pair:
    """Two canonical values of one property in one language ("" for none). Rules do not care which is left."""

    left: str
    right: str
    lang: str
    definition: PropertyDefinition


Rule = Callable[[Pair], Verdict | None]
"""A comparison rule: a verdict on the pair, or None when the rule does not apply."""

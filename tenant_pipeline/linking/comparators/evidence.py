"""What a comparator says of a pair: how much it weighs, and the sentence for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """A comparator's contribution: its name, its weight in bits (log2 of a likelihood ratio), and its sentence.

    The weights follow Fellegi and Sunter (1969): positive speaks for one thing, negative for two.
    """

    comparator: str
    bits: float
    sentence: str

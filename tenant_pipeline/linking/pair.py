"""A pair of homes for people to judge: the order that its ends are kept in, and its id."""

from __future__ import annotations

from tenant_pipeline.core.digest import short_id

PAIR_PREFIX = "jud-"
"""The ids of pairs begin so, and no others."""


def pair_ends(one: str, other: str) -> tuple[str, str]:
    """The two ids in the order in which a pair has them, whichever is given first."""
    return min(one, other), max(one, other)


def pair_id(one: str, other: str) -> str:
    """The id of the pair of the two, whichever is given first."""
    return short_id(PAIR_PREFIX, pair_ends(one, other))

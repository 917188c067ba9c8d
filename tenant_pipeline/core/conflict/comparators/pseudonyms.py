"""Pseudonyms: opaque, so that all there is to say is whether they are the same."""

from __future__ import annotations

from tenant_pipeline.core.conflict.comparators.pair import Pair
from tenant_pipeline.core.conflict.comparison import Verdict
from tenant_pipeline.core.pseudonym import digest_of_token, is_token


def pseudonyms_under_different_keys(pair: Pair) -> Verdict | None:
    """The pseudonyms were made under different keys and cannot be compared."""
    if not (is_token(pair.left) and is_token(pair.right)):
        return None
    different = _without_digest(pair.left) != _without_digest(pair.right)
    return Verdict.INCOMPARABLE if different else None


def pseudonyms_differ(pair: Pair) -> Verdict | None:
    """The pseudonyms stand for different values."""
    return Verdict.DIFFERS if is_token(pair.left) and is_token(pair.right) else None


def pseudonym_beside_a_plain_value(pair: Pair) -> Verdict | None:
    """One value is a pseudonym, and what it stands for cannot be compared with the other."""
    return Verdict.INCOMPARABLE if is_token(pair.left) or is_token(pair.right) else None


def _without_digest(token: str) -> str:
    return token.removesuffix(f"{digest_of_token(token)}⟧")

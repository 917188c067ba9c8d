"""Categories and kinds: a narrower one says the same as the broader one, only more finely."""

from __future__ import annotations

import re
import unicodedata

from tenant_pipeline.core.conflict.comparators.pair import Pair
from tenant_pipeline.core.conflict.comparison import Verdict

_THAI = re.compile(r"[\u0e00-\u0e7f]")
_SHORTEST = 2
_NONE_NARROWER = frozenset({"addressCountry"})
"""Properties of which no value narrows another: South Sudan is no Sudan."""
_DENIES = re.compile(
    r"\bnot\b(?! for \S)|\b(?:no|no longer|never|non|un|ex|former|formerly|without|stopped|ceased)$"
    r"|ไม่|มิได้|มิใช่|ยกเลิก"
    r"|(?:[不未]能?|不再|[无無非没沒]|[没沒]有|停止?|[终終]止|取消|禁止?)$"
)
"""Words that deny a category, among those that stand beside it: in English and Chinese most do so right before it."""


def category_is_a_narrower_one(pair: Pair) -> Verdict | None:
    """One category narrows the other: its head is the whole of the other (Thai restaurant, restaurant).

    Where it denies the other (not in force, in force), it narrows nothing.
    """
    if pair.definition.name in _NONE_NARROWER:
        return None
    left, right = _folded(pair.left), _folded(pair.right)
    shorter, longer = sorted((left, right), key=len)
    if len(shorter) < _SHORTEST or shorter == longer:
        return None
    # The head of a noun phrase stands first in Thai, and last in English and Chinese.
    if _THAI.search(shorter):
        narrows, beside = longer.startswith(shorter), longer[len(shorter) :]
    elif shorter.isascii():
        narrows, beside = longer.endswith(f" {shorter}"), longer[: -len(shorter)]
    else:
        narrows, beside = longer.endswith(shorter), longer[: -len(shorter)]
    return Verdict.REFINES if narrows and not _DENIES.search(beside.strip()) else None


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("-", " ").split())

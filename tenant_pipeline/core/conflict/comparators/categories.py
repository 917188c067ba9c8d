"""Categories and kinds: a narrower one says the same as the broader one, only more finely."""

from __future__ import annotations

import re
import unicodedata

from tenant_pipeline.core.conflict.comparators.pair import Pair
from tenant_pipeline.core.conflict.comparison import Verdict

_THAI = re.compile(r"[\u0e00-\u0e7f]")
_SHORTEST = 2


def category_is_a_narrower_one(pair: Pair) -> Verdict | None:
    """One category narrows the other: its head is the whole of the other (Thai restaurant, restaurant)."""
    left, right = _folded(pair.left), _folded(pair.right)
    shorter, longer = sorted((left, right), key=len)
    if len(shorter) < _SHORTEST or shorter == longer:
        return None
    # The head of a noun phrase stands first in Thai, and last in English and Chinese.
    if _THAI.search(shorter):
        narrows = longer.startswith(shorter)
    elif shorter.isascii():
        narrows = longer.endswith(f" {shorter}")
    else:
        narrows = longer.endswith(shorter)
    return Verdict.REFINES if narrows else None


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("-", " ").split())

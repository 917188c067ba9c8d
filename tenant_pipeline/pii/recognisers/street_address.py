"""House numbers before a street: `03262 2437 Main St` is no telephone number."""

from __future__ import annotations

import re

_STREET = re.compile(
    r"[ ,]{1,2}(?:[A-ZÀ-Þ][\w'-]+ ){1,3}(?:St|Street|Ave|Avenue|Rd|Road|Lane|Ln|Blvd|Boulevard|Drive|Dr|Way|Hill)\b"
)


def street_follows(folded: str, position: int) -> bool:
    """Whether what begins at `position` names a street, so that the digits before it are a house number."""
    return _STREET.match(folded, position) is not None

"""Text that every store can hold: without half characters and without the null character."""

from __future__ import annotations

import re

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """The text with the replacement character for what is no character."""
    return _NOT_STORABLE.sub("\ufffd", text)

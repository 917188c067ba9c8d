"""Text that every store can hold: without half characters and without the null character."""

from __future__ import annotations

import re

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """The text with the replacement character for what is no character."""
    if "\0" not in text:
        try:
            text.encode()  # by far the quickest way to learn that there is nothing to replace
        except UnicodeEncodeError:
            pass
        else:
            return text
    return _NOT_STORABLE.sub("\ufffd", text)

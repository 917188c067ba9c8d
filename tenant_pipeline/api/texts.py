"""The kinds of text that requests carry, bounded, and without characters that no line of text has."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import StringConstraints

_NO_CONTROL = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
"""One line of text: a name, a title."""

Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=_NO_CONTROL)]
OptionalReason = Annotated[str, StringConstraints(max_length=2000, pattern=_NO_CONTROL)]

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=40)]

SourcePath = Annotated[str, Path(pattern=r"^src-[0-9a-f]{16}$")]
Identifier = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:-]+$")]

Limit = Annotated[int, Query(ge=1, le=500, description="At most so many rows.")]
After = Annotated[
    str | None, Query(max_length=2000, pattern=r"^[\x20-\x7e]+$", description="The `next` of the page before.")
]

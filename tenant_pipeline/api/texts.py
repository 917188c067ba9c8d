"""The kinds of text that requests carry, bounded, and without characters that no line of text has."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Path, Query
from pydantic import AwareDatetime, BeforeValidator, StringConstraints

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
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


def _date_time(said: object) -> object:
    if isinstance(said, str) and not _DATE_TIME.fullmatch(said):
        raise ValueError("a date and time with its zone, such as 2026-03-01T09:00:00+07:00")
    return said


Moment = Annotated[AwareDatetime | None, BeforeValidator(_date_time), Query(description="RFC 3339, section 5.6.")]

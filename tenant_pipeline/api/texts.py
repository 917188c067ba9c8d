"""The kinds of text that requests carry, bounded, and without characters that no line of text has."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, StringConstraints

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
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

TenantSlug = Annotated[str, StringConstraints(min_length=3, max_length=40, pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]

SOURCE_ID = r"^src-[0-9a-f]{16}$"
SourcePath = Annotated[str, Path(pattern=SOURCE_ID)]
Identifier = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:-]+$")]

Url = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[\x21-\x7e]+$")]

Limit = Annotated[int, Query(ge=1, le=500, description="At most so many rows.")]
After = Annotated[
    str | None, Query(max_length=2000, pattern=r"^[\x20-\x7e]+$", description="The `next` of the page before.")
]


def _date_time(said: object) -> object:
    if isinstance(said, str) and not _DATE_TIME.fullmatch(said):
        raise ValueError("a date and time with its zone, such as 2026-03-01T09:00:00+07:00")
    return said


def _within_the_calendar(moment: datetime) -> datetime:
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        in_utc = moment.replace(tzinfo=UTC)
    if not _FIRST <= in_utc < _LAST:
        raise ValueError("a time between the years 1 and 9999, a day from either end")
    return in_utc


AnyTime = Annotated[AwareDatetime, AfterValidator(_within_the_calendar)]
"""A time with its zone, given on in UTC, that every zone's calendar knows."""

Moment = Annotated[AnyTime | None, BeforeValidator(_date_time), Query(description="RFC 3339, section 5.6.")]

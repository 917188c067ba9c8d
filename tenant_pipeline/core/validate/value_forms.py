"""The form of a canonical value, by datatype: what any value must look like once it is standardised."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping

from tenant_pipeline.core.statement import Datatype

EARLIEST_YEAR, LATEST_YEAR = 1700, 2200

_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T[0-2][0-9]:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_GEO = re.compile(r"(-?[0-9]{1,2}\.[0-9]{6}),(-?[0-9]{1,3}\.[0-9]{6})")

PATTERNS: Mapping[Datatype, str] = {
    Datatype.NAME: r"\S(?:.*\S)?",
    Datatype.TEXT: r"\S(?:.*\S)?",
    Datatype.ADDRESS: r"\S(?:.*\S)?",
    Datatype.CATEGORY: r"\S(?:.*\S)?",
    Datatype.IDENTIFIER: r"\S(?:.*\S)?",
    Datatype.ADMINISTRATIVE_CODE: r"[1-9][0-9](?:[0-9]{2}){0,2}",
    Datatype.POSTAL_CODE: r"[1-9][0-9]{4}",
    Datatype.TELEPHONE: r"(?:\+[1-9][0-9]{5,14}(?:;ext=[0-9]{1,7})?|[0-9]{3,4})",
    Datatype.EMAIL: r"[^\s@]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+",
    Datatype.URL: r"https?://(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?/[\x21-\x7e]*",
    Datatype.GEO: r"-?[0-9]{1,2}\.[0-9]{6},-?[0-9]{1,3}\.[0-9]{6}",
    Datatype.NUMBER: r"-?[0-9]+(?:\.[0-9]+)?",
    Datatype.AREA: r"[0-9]+(?:\.[0-9]+)?",
    Datatype.BOOLEAN: r"(?:true|false)",
    Datatype.REFERENCE: r"(?:ent-[0-9a-f]{24}|[A-Z][A-Za-z0-9]*:[A-Za-z][A-Za-z0-9_-]*:.+)",
}
"""What a value must match as a whole, as RE2 reads it, for the datatypes that a pattern can describe."""


def is_date(text: str) -> bool:
    """Whether `text` is an ISO 8601 date, date and time, or interval between two, from 1700 to 2200."""
    first, slash, last = text.partition("/")
    if not slash:
        return _is_day(text)
    return _is_day(first) and _is_day(last) and is_in_order(first, last)


def is_in_order(first: str, last: str) -> bool:
    """Whether one ISO 8601 date is not after another, compared to the precision that both have.

    An open end ("") is in order with everything; of an interval its beginning, or as the last one its end, counts.
    """
    if not first or not last:
        return True
    begin, end = first.split("/")[0], last.split("/")[-1]
    shared = min(len(begin), len(end))
    return begin[:shared] <= end[:shared]


def is_position(text: str) -> bool:
    """Whether `text` is a latitude and longitude on the globe, and not 0,0."""
    match = _GEO.fullmatch(text)
    if not match:
        return False
    latitude, longitude = float(match[1]), float(match[2])
    return abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0.0, 0.0)


PREDICATES: Mapping[Datatype, Callable[[str], bool]] = {Datatype.DATE: is_date, Datatype.GEO: is_position}
"""What a value must satisfy, for the datatypes whose range no pattern describes."""


def _is_day(text: str) -> bool:
    match = _DATE.fullmatch(text)
    if not match or not EARLIEST_YEAR <= int(match[1]) <= LATEST_YEAR:
        return False
    try:
        datetime.date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return False
    return True

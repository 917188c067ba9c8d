"""Dates as intervals of the precision in which they were given.

A day, and a time of day that names no offset, are taken to be Thailand's (UTC+7, which has no summer time): that is
where the sources are, and where most who write so live. They are compared with moments that do name one.
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from tenant_pipeline.core.conflict.comparators.pair import Pair
from tenant_pipeline.core.conflict.comparison import Verdict

_FORM = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(T.+)?)?)?")

_THERE = timezone(timedelta(hours=7))
"""Where a day begins, and whose clocks a time of day without an offset is read from."""

Interval = tuple[datetime, datetime]
"""The first moment, and the first moment after."""


def dates_of_unknown_form(pair: Pair) -> Verdict | None:
    """One of the dates cannot be read as a date."""
    return None if _interval(pair.left) and _interval(pair.right) else Verdict.INCOMPARABLE


def dates_equal(pair: Pair) -> Verdict | None:
    """The dates name the same time in two ways."""
    return Verdict.SAME if _interval(pair.left) == _interval(pair.right) else None


def dates_one_within_the_other(pair: Pair) -> Verdict | None:
    """One date lies within the other and only says it more finely."""
    left, right = _interval(pair.left), _interval(pair.right)
    if left is None or right is None:
        return None
    return Verdict.REFINES if _within(left, right) or _within(right, left) else None


def dates_within_tolerance(pair: Pair) -> Verdict | None:
    """The dates begin and end within the property's tolerance of each other, in days."""
    left, right = _interval(pair.left), _interval(pair.right)
    if left is None or right is None or not pair.definition.tolerance:
        return None
    near = timedelta(days=pair.definition.tolerance)
    return Verdict.SAME if abs(left[0] - right[0]) <= near and abs(left[1] - right[1]) <= near else None


def dates_differ(pair: Pair) -> Verdict:
    """The dates name different times."""
    return Verdict.DIFFERS


def _within(inner: Interval, outer: Interval) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


@lru_cache(maxsize=4096)
def _interval(text: str) -> Interval | None:
    """What an ISO 8601 date of any precision, or an interval of two, covers; None for other text."""
    begin, _, end = text.partition("/")
    first, last = _covered(begin), _covered(end or begin)
    return (first[0], last[1]) if first and last else None


def _covered(text: str) -> Interval | None:
    """The time that one date covers: a year, a month, a day, or the minute or second that it names."""
    match = _FORM.fullmatch(text)
    if not match:
        return None
    year, month, day, clock = match.groups()
    try:
        if clock:
            moment = datetime.fromisoformat(text)
            moment = moment.replace(tzinfo=_THERE) if moment.tzinfo is None else moment
            return moment, _after(moment, _precision(clock))
        start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=_THERE)
    except ValueError:
        return None
    days = 1 if day else monthrange(start.year, start.month)[1] if month else 365 + isleap(start.year)
    return start, _after(start, timedelta(days=days))


def _after(moment: datetime, time: timedelta) -> datetime:
    """The moment after that time, or the last one there is: 9999-12-31 is how many write that there is no end."""
    try:
        return moment + time
    except OverflowError:
        return datetime.max.replace(tzinfo=moment.tzinfo)


def _precision(clock: str) -> timedelta:
    """How long the time of day lasts that a text names: a minute, a second, or the smallest step."""
    if "." in clock:
        return timedelta.resolution
    time_of_day = re.split("[Z+-]", clock)[0]
    return timedelta(seconds=1) if time_of_day.count(":") > 1 else timedelta(minutes=1)

"""Dates as intervals of the precision in which they were given."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from tenant_pipeline.core.conflict.comparators.pair import Pair
from tenant_pipeline.core.conflict.comparison import Verdict

_FORM = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(T.+)?)?)?")

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
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
            return moment, moment + _precision(clock)
        start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
        if day:
            return start, start + timedelta(days=1)
        if month:
            return start, datetime(int(year) + int(month) // 12, int(month) % 12 + 1, 1, tzinfo=UTC)
        return start, datetime(int(year) + 1, 1, 1, tzinfo=UTC)
    except ValueError:
        return None


def _precision(clock: str) -> timedelta:
    """How long the time of day lasts that a text names: a minute, a second, or the smallest step."""
    if "." in clock:
        return timedelta.resolution
    time_of_day = re.split("[Z+-]", clock)[0]
    return timedelta(seconds=1) if time_of_day.count(":") > 1 else timedelta(minutes=1)

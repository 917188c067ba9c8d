"""Dates as intervals of the precision in which they were given."""

from __future__ import annotations

from datetime import date, timedelta

from tenant_pipeline.core.conflict.comparison import Compared, Verdict
from tenant_pipeline.core.vocabulary import PropertyDefinition


def compare_dates(left: str, right: str, lang: str, definition: PropertyDefinition) -> Compared:
    """One date lies within the other, only more finely given; or the two do not meet."""
    one, other = _interval(left), _interval(right)
    if one is None or other is None:
        return Compared(Verdict.INCOMPARABLE, "dates_of_unknown_form")
    if one == other:
        return Compared(Verdict.SAME, "dates_equal")
    if _within(one, other) or _within(other, one):
        return Compared(Verdict.REFINES, "dates_one_within_the_other")
    near = timedelta(days=definition.tolerance or 0)
    if one[0] - other[1] <= near and other[0] - one[1] <= near:
        return Compared(Verdict.REFINES, "dates_overlap")
    return Compared(Verdict.DIFFERS, "dates_differ")


def _within(inner: tuple[date, date], outer: tuple[date, date]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _interval(text: str) -> tuple[date, date] | None:
    """The first and last day of an ISO 8601 date of any precision, or of an interval of two; None for other text."""
    begin, _, end = text.partition("/")
    first, last = _days(begin), _days(end or begin)
    return (first[0], last[1]) if first and last else None


def _days(text: str) -> tuple[date, date] | None:
    parts = text.split("T", 1)[0].split("-")
    try:
        numbers = [int(part) for part in parts]
        if len(numbers) == 1:
            return date(numbers[0], 1, 1), date(numbers[0], 12, 31)
        if len(numbers) == 2:
            year, month = numbers
            following = date(year + month // 12, month % 12 + 1, 1)
            return date(year, month, 1), following - timedelta(days=1)
        day = date(*numbers[:3])
        return day, day
    except (ValueError, TypeError):
        return None

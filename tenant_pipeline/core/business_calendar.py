"""Time as an SLA counts it: the hours of working days in Bangkok, without weekends and public holidays.

A working day counts with all its 24 hours, so "24 hours" means the same hour of the next working day.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

BANGKOK = ZoneInfo("Asia/Bangkok")
_DAY = timedelta(days=1)


@cache
def _holidays(year: int) -> holidays.HolidayBase:
    return holidays.country_holidays("TH", years=year)


def holidays_of(year: int) -> int:
    """How many public holidays are known of a year; 0 for a year that nothing is known of."""
    return len(_holidays(year))


def is_working_day(day: date) -> bool:
    """Whether people in Thailand are at work: Monday to Friday, and no public holiday nor its substitute."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def due_at(start: datetime, hours: float) -> datetime:
    """When `hours` of working days have passed since `start` (with a zone); the answer is in Bangkok's time.

    Raises ValueError for a time without a zone, or for less than no hours.
    """
    if start.tzinfo is None or hours < 0:
        raise ValueError("a start with a time zone, and hours of at least 0")
    now = start.astimezone(BANGKOK)
    left = timedelta(hours=hours)
    while True:
        midnight = datetime.combine(now.date() + _DAY, datetime.min.time(), BANGKOK)
        if is_working_day(now.date()):
            if left <= midnight - now:
                return now + left
            left -= midnight - now
        now = midnight

"""A calendar month as the bill counts it: in Bangkok's time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tenant_pipeline.core.business_calendar import BANGKOK
from tenant_pipeline.core.errors import InputError

Interval = tuple[datetime, datetime]


@dataclass(frozen=True, order=True)
class Month:
    """One month of one year."""

    year: int
    month: int

    @classmethod
    def parsed(cls, text: str) -> Month:
        """The month that `2026-11` names. Raises InputError."""
        try:
            day = date.fromisoformat(f"{text}-01")
        except ValueError:
            raise InputError("That is no month", where="--month", remedy="Write it as 2026-11.") from None
        return cls(day.year, day.month)

    @classmethod
    def of(cls, moment: datetime) -> Month:
        """The month in which a moment lies in Bangkok."""
        there = moment.astimezone(BANGKOK)
        return cls(there.year, there.month)

    @property
    def begins(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=BANGKOK)

    @property
    def ends(self) -> datetime:
        """The first moment that is no longer of it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1).begins

    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def hours_within(intervals: Iterable[Interval], month: Month, now: datetime) -> float:
    """The hours of the month, up to `now`, that lie in at least one of the intervals: none is counted twice."""
    first, last = month.begins, min(month.ends, now)
    counted, counted_to = timedelta(0), first
    for begins, ends in sorted(intervals):
        begins, ends = max(begins, counted_to), min(ends, last)
        if ends > begins:
            counted += ends - begins
            counted_to = ends
    return counted.total_seconds() / 3600

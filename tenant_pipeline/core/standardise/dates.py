"""Dates of three languages and two eras, as ISO 8601 with the precision that was given."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace

from tenant_pipeline.core.standardise.clock_times import split_time
from tenant_pipeline.core.standardise.date_words import MONTH, DateText, fold, is_thai_month, month_number
from tenant_pipeline.core.standardise.reading import Context, Standardised, Unreadable

BUDDHIST_OFFSET = 543
"""Years between the Thai solar calendar and the Gregorian one, as written since 1941; applied to all dates alike."""

BUDDHIST_FROM = 2400
"""A year above this one is Buddhist when no era is named."""

EARLIEST_YEAR, LATEST_YEAR = 1700, 2200

_DAY = r"(?P<day>[0-9]{1,2})"
_YEAR = r"(?P<year>[0-9]{4})"
_ANY_YEAR = r"(?P<year>[0-9]{4}|'?[0-9]{2})"
_GAP = r"[\s,./-]*"

_WHOLE_FORMS = (
    ("date-year", re.compile(_YEAR + r"(?:\.0|\s?年)?")),
    ("date-iso", re.compile(_YEAR + r"[-/.](?P<month_number>[0-9]{1,2})")),
    ("date-month-and-year", re.compile(r"(?P<month_number>[0-9]{1,2})\s?[-/.]\s?" + _YEAR)),
    ("date-iso", re.compile(_YEAR + r"\s?[-/.]\s?(?P<month_number>[0-9]{1,2})\s?[-/.]\s?" + _DAY)),
    ("date-compact", re.compile(_YEAR + r"(?P<month_number>[0-9]{2})(?P<day>[0-9]{2})")),
    ("date-day-first", re.compile(r"(?P<one>[0-9]{1,2})\s?[-/. ]\s?(?P<two>[0-9]{1,2})\s?[-/. ]\s?" + _ANY_YEAR)),
    ("date-month-name", re.compile(_DAY + _GAP + MONTH + _GAP + _ANY_YEAR)),
    ("date-month-name", re.compile(MONTH + r"\s*" + _DAY + r"\s*(?:,|\s)\s*" + _YEAR)),
    ("date-month-name", re.compile(MONTH + _GAP + _ANY_YEAR)),
    ("date-month-name", re.compile(_YEAR + _GAP + MONTH + rf"(?:{_GAP}{_DAY})?")),
    (
        "date-chinese",
        re.compile(_YEAR + r"\s?年\s?(?P<month_number>[0-9]{1,2})\s?月(?:份|\s?" + _DAY + r"\s?[日号號]?)?"),
    ),
)
"""Forms that stand alone, and the rule that each is named by."""

_PARTIAL_FORMS = (
    ("date-interval", re.compile(_DAY + r"\s?[日号號]?")),
    ("date-interval", re.compile(_DAY + _GAP + MONTH)),
    ("date-interval", re.compile(MONTH + r"\s*" + _DAY)),
    ("date-interval", re.compile(MONTH)),
    ("date-interval", re.compile(_DAY + r"\s*,\s*" + _YEAR)),
    ("date-interval", re.compile(r"(?P<one>[0-9]{1,2})\s?[/.]\s?(?P<two>[0-9]{1,2})")),
    ("date-interval", re.compile(r"(?P<month_number>[0-9]{1,2})\s?月\s?(?:" + _DAY + r"\s?[日号號]?)?")),
)
"""Forms that are one end of an interval only: what they leave out, the other end says."""

_BETWEEN = re.compile(r"\s*(?:~|至|到|ถึง|/|(?<![a-z])(?:to|until|till|through)(?![a-z])|-)\s*")
_CANONICAL_DATE = r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
_CANONICAL_INTERVAL = re.compile(rf"({_CANONICAL_DATE})/({_CANONICAL_DATE})", re.IGNORECASE)


@dataclass(frozen=True)
class _Reading:
    """A date as far as it was told: None for what was not."""

    rule: str
    year: int | None = None
    month: int | None = None
    day: int | None = None

    @property
    def iso(self) -> str:
        parts = (f"{self.year:04d}", self.month and f"{self.month:02d}", self.day and f"{self.day:02d}")
        return "-".join(part for part in parts if part)


def standardise_date(value: str, context: Context) -> Standardised:
    """A date, date and time, or interval `a/b` in ISO 8601.

    A year above 2400, or one with พ.ศ. or B.E., is Buddhist; so is a two-digit year beside a Thai month. Numeric
    dates are read day first, as in Thailand; the rule says `-assumed` where month first was possible too, and
    `date-month-first` where it is the only possible one. Serial numbers of spreadsheets are not guessed at.

    Raises Unreadable for other two-digit years, dates that no calendar has, reversed intervals, and years outside
    1700–2200.
    """
    if interval := _CANONICAL_INTERVAL.fullmatch(value.strip()):
        first, last = (standardise_date(end, context).value for end in interval.groups())
        return _interval(first, last, "date-interval")
    folded = fold(value)
    if folded.era == "both":
        raise Unreadable("date-unreadable", "The value names both a Buddhist and a Common Era year.")
    text, times = split_time(folded.text)
    folded = replace(folded, text=text)
    reading = _read(folded, _WHOLE_FORMS)
    if reading is None:
        if times:
            raise Unreadable("date-unreadable", "The value has a time of day but no single date.")
        return _read_interval(folded)
    if not times:
        return Standardised(reading.iso, reading.rule)
    if reading.day is None:
        raise Unreadable("date-unreadable", "The value has a time of day but no day.")
    moments = [reading.iso + time for time in times]
    if len(moments) == 1:
        return Standardised(moments[0], reading.rule)
    era = "-buddhist-era" if reading.rule.endswith("-buddhist-era") else ""
    return _interval(moments[0], moments[1], f"date-interval{era}")


def _read(folded: DateText, forms: tuple[tuple[str, re.Pattern[str]], ...]) -> _Reading | None:
    for rule, form in forms:
        if match := form.fullmatch(folded.text):
            reading = _from_match(rule, match.groupdict(), folded)
            if reading is not None:
                return reading
    return None


def _from_match(rule: str, found: dict[str, str | None], folded: DateText) -> _Reading | None:
    year_text, name = found.get("year"), found.get("month")
    month = month_number(name) if name else int(found.get("month_number") or 0) or None
    day = int(text) if (text := found.get("day")) else None
    if found.get("month_number") and month is None:
        raise Unreadable("date-impossible", "No calendar has that month.")
    if name and day is None and year_text and len(year_text.lstrip("'")) == 2 and int(year_text.lstrip("'")) <= 31:
        return None
    if found.get("one"):
        day, month, rule = _day_and_month(int(found["one"] or 0), int(found["two"] or 0), rule)
    year = None
    if year_text:
        thai = folded.thai_digits or (name is not None and is_thai_month(name))
        year, buddhist = _gregorian(year_text.lstrip("'"), folded.era, thai=thai)
        rule += "-buddhist-era" if buddhist else ""
    reading = _Reading(rule, year, month, day)
    if year is not None:
        _exists(reading)
    return reading


def _day_and_month(one: int, two: int, rule: str) -> tuple[int, int, str]:
    if one <= 12 < two:
        return two, one, rule.replace("date-day-first", "date-month-first")
    assumed = one <= 12 and one != two and rule == "date-day-first"
    return one, two, f"{rule}-assumed" if assumed else rule


def _gregorian(text: str, era: str, *, thai: bool) -> tuple[int, bool]:
    """The Gregorian year, and whether the text gave a Buddhist one."""
    year = int(text)
    if len(text) == 2:
        if not (era == "buddhist" or (thai and not era)):
            raise Unreadable("date-two-digit-year", "A year of two digits may lie in several centuries.")
        year += 2500
    buddhist = era == "buddhist" or (not era and year > BUDDHIST_FROM)
    year -= BUDDHIST_OFFSET if buddhist else 0
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise Unreadable("date-out-of-range", f"The year lies outside {EARLIEST_YEAR} to {LATEST_YEAR}.")
    return year, buddhist


def _exists(reading: _Reading) -> None:
    month, day = (1 if part is None else part for part in (reading.month, reading.day))
    try:
        datetime.date(reading.year or EARLIEST_YEAR, month, day)
    except ValueError:
        raise Unreadable("date-impossible", "No calendar has that date.") from None


def _read_interval(folded: DateText) -> Standardised:
    """Two ends, of which the first may leave out what the second says (`12-14 March 2026`), or the other way round."""
    for between in _BETWEEN.finditer(folded.text):
        ends = (folded.text[: between.start()].strip(" ,"), folded.text[between.end() :].strip(" ,"))
        if not (first := _read(replace(folded, text=ends[0]), _WHOLE_FORMS + _PARTIAL_FORMS)):
            continue
        last = _read(replace(folded, text=ends[1]), _WHOLE_FORMS + _PARTIAL_FORMS)
        if last is None or (first.year is None and last.year is None):
            continue
        inherited_year = first.year is None
        first, last = _completed(first, last), _completed(last, first)
        if (first.day is None) != (last.day is None) or (first.month is None) != (last.month is None):
            continue
        if inherited_year and first.iso > last.iso and first.month != last.month:
            first = replace(first, year=(first.year or 0) - 1)
        _exists(first)
        _exists(last)
        buddhist = "-buddhist-era" if "buddhist" in first.rule + last.rule else ""
        return _interval(first.iso, last.iso, f"date-interval{buddhist}")
    raise Unreadable("date-unreadable", "The value is not a date in a known form.")


def _completed(end: _Reading, other: _Reading) -> _Reading:
    return replace(
        end,
        year=other.year if end.year is None else end.year,
        month=other.month if end.month is None and end.day is not None else end.month,
    )


def _interval(first: str, last: str, rule: str) -> Standardised:
    shared = min(len(first), len(last))
    if first[:shared] > last[:shared]:
        raise Unreadable("date-interval-reversed", "The interval ends before it begins.")
    return Standardised(first if first == last else f"{first}/{last}", rule)

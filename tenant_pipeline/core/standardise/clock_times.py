"""The time of day at the end of a date's text, and its offset from UTC."""

from __future__ import annotations

import re

from tenant_pipeline.core.standardise.reading import Unreadable

_CLOCK = r"([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
_NOON = r"\s*(am|pm|a\.m\.|p\.m\.)?"
_HOURS = r"\s*(?:น\.?|hrs?\.?|นาฬิกา)?"
_ZONE = r"\s*(z|gmt|utc|ict|[+-][0-9]{2}:?[0-9]{2})?"
_LEAD = r"(?:^|(?<=[0-9日号號.])|\s)\s*(?P<lead>t|,|เวลา|at|@)?\s*"
_TIME = re.compile(rf"{_LEAD}(?<![0-9.:]){_CLOCK}{_NOON}(?P<hours>{_HOURS}){_ZONE}$")
_TIMES = re.compile(rf"{_LEAD}(?<![0-9.:]){_CLOCK}{_HOURS}\s*(?:-|ถึง|to|~|至|到)\s*{_CLOCK}(?P<hours>{_HOURS})$")
_WITH_OFFSET = re.compile(r"(?:(?<![a-z])t|[:.][0-9]{2}[:.])[0-9:.,]*\s?-(?:0[0-9]|1[0-2]):[0-9]{2}$")
"""What looks like two times and is one with an offset west of UTC: behind `T`, or where only the first has seconds."""


def split_time(text: str) -> tuple[str, tuple[str, ...]]:
    """The date's part of `text`, and the ISO 8601 times (`T09:30`, `T09:30:00+07:00`) that stand behind it.

    None, one, or two (from – to). A point between hours and minutes (Thai usage) is a time only behind `เวลา` or
    before `น.`, since `13.03` is a day otherwise. A time of exactly 00:00:00 without an offset is a spreadsheet's way
    to write a date and is dropped. Raises Unreadable for hours and minutes that no clock shows.
    """
    if (match := _TIMES.search(text)) and _is_time(match) and not _WITH_OFFSET.search(match[0]):
        return _before(match), (_iso(match, 2), _iso(match, 6))
    if (match := _TIME.search(text)) and _is_time(match):
        time = _iso(match, 2, noon=match[6] or "", zone=match[8] or "")
        return _before(match), () if time == "T00:00:00" else (time,)
    return text, ()


def _before(match: re.Match[str]) -> str:
    return match.string[: match.start()].strip(" ,")


def _is_time(match: re.Match[str]) -> bool:
    clock = match[0]
    return ":" in clock or bool(match["lead"]) or bool(match["hours"].strip())


def _iso(match: re.Match[str], group: int, *, noon: str = "", zone: str = "") -> str:
    """The time whose hour, minute, second and fraction are the four groups from `group` on."""
    hour, minute, second, fraction = (match[group + offset] for offset in range(4))
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    if noon:
        if not 1 <= hours <= 12:
            raise Unreadable("date-impossible", "The time of day does not exist.")
        hours = hours % 12 + (12 if noon.startswith("p") else 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise Unreadable("date-impossible", "The time of day does not exist.")
    text = f"T{hours:02d}:{minutes:02d}"
    if second is not None:
        text += f":{seconds:02d}"
        if digits := (fraction or "")[:6].rstrip("0"):
            text += f".{digits}"
    return text + _offset(zone)


def _offset(zone: str) -> str:
    if zone in ("z", "gmt", "utc"):
        return "Z"
    if zone == "ict":
        return "+07:00"
    if not zone:
        return ""
    sign, hours, minutes = zone[0], int(zone[1:3]), int(zone[-2:])
    if hours > 14 or minutes > 59:
        raise Unreadable("date-impossible", "The offset from UTC does not exist.")
    return f"{sign}{hours:02d}:{minutes:02d}" if hours or minutes else "Z"

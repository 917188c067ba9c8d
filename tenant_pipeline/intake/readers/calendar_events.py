"""iCalendar: events as records."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, BinaryIO

from icalendar import Event

from tenant_pipeline.intake.readers.component_blocks import component_blocks
from tenant_pipeline.intake.readers.item import Item, Items, Problem
from tenant_pipeline.intake.readers.storable import storable
from tenant_pipeline.intake.readers.xml_stream import plain_text


def looks_like_icalendar(text: str, path: str) -> bool:
    """Whether the text begins a calendar."""
    return text.lstrip("\ufeff \t\r\n")[:15].upper() == "BEGIN:VCALENDAR"


def read_icalendar(stream: BinaryIO, encoding: str) -> Items:
    """A record an event, its times as ISO 8601 and its repetition as the rule's text; a broken event is a problem."""
    for number, block in component_blocks(stream, encoding, "VEVENT"):
        try:
            if block is None:
                raise ValueError
            yield Item("events", f"event={number}", _values(Event.from_ical(block)))
        except MemoryError:
            raise
        except Exception:  # icalendar raises ValueError mostly, and others from its types' parsers
            yield Problem(f"event={number}", "broken-event", "The event cannot be parsed.")


def _values(event: Any) -> dict[str, str | None]:
    start, end = _moment(event.get("DTSTART")), _moment(event.get("DTEND"))
    length = getattr(event.get("DURATION"), "dt", None)
    if end is None and start is not None and isinstance(length, timedelta):
        end = start + length
    if end is not None and not isinstance(end, datetime) and start is not None and end > start:
        end -= timedelta(days=1)
    geo = event.get("GEO")
    organizer = event.get("ORGANIZER")
    return {
        "name": _text(event.get("SUMMARY")),
        "start date": start.isoformat() if start else None,
        "end date": end.isoformat() if end else None,
        "location": _text(event.get("LOCATION")),
        "description": plain_text(_text(event.get("DESCRIPTION"))),
        "organizer": _text(getattr(organizer, "params", {}).get("CN")),
        "url": _text(event.get("URL")),
        "latitude": str(geo.latitude) if hasattr(geo, "latitude") else None,
        "longitude": str(geo.longitude) if hasattr(geo, "longitude") else None,
        "identifier": _text(event.get("UID")),
        "recurrence rule": _recurrence(event.get("RRULE")),
        "status": _text(event.get("STATUS")),
    }


def _moment(value: Any) -> date | None:
    """A date or a moment. The last day of events of whole days is told apart by the date having no time."""
    moment = getattr(value, "dt", None)
    return moment if isinstance(moment, date) else None


def _recurrence(rule: Any) -> str | None:
    rules = rule if isinstance(rule, list) else [rule]
    return "; ".join(each.to_ical().decode() for each in rules if hasattr(each, "to_ical")) or None


def _text(value: Any) -> str | None:
    value = value[0] if isinstance(value, list) and value else value
    return storable(str(value)).strip() or None if value is not None else None

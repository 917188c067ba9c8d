"""GPX: waypoints as places; routes and tracks by their names, with the number of their points."""

from __future__ import annotations

from typing import BinaryIO

from tenant_pipeline.intake.readers.item import Item, Items, UnreadableError
from tenant_pipeline.intake.readers.xml_elements import root_name
from tenant_pipeline.intake.readers.xml_stream import child_text, forget, local_name, plain_text, xml_events

_TABLES = {"wpt": ("waypoints", "waypoint"), "rte": ("routes", "route"), "trk": ("tracks", "track")}
_POINTS = ("rtept", "trkpt")


def looks_like_gpx(text: str, path: str) -> bool:
    """Whether the first element is GPX's."""
    return root_name(text[:4000]) == "gpx"


def read_gpx(stream: BinaryIO, encoding: str) -> Items:
    """Waypoints with their place, height and time; routes and tracks with the count of their points.

    Raises UnreadableError for XML that is not well-formed or not GPX.
    """
    counts = dict.fromkeys(_TABLES, 0)
    points = 0
    root = None
    for event, element in xml_events(stream, "start", "end"):
        name = local_name(element)
        if event == "start":
            root = root or name
            if root != "gpx":
                raise UnreadableError("not-gpx", "The XML is not GPX.")
        elif name in _POINTS:
            points += 1
            forget(element)
        elif name in _TABLES:
            counts[name] += 1
            table, place = _TABLES[name]
            values = {
                "name": child_text(element, "name"),
                "description": plain_text(child_text(element, "desc") or child_text(element, "cmt")),
            }
            if name == "wpt":
                values |= {"latitude": element.get("lat"), "longitude": element.get("lon"),
                           "elevation": child_text(element, "ele"), "time": child_text(element, "time")}  # fmt: skip
            else:
                values["points"] = str(points)
                points = 0
            values["type"] = child_text(element, "type")
            yield Item(table, f"{place}={counts[name]}", values)
            forget(element)

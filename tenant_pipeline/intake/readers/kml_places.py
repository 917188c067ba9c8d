"""KML: placemarks as records, with the folders they lie in."""

from __future__ import annotations

from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.geojson import geometry_values
from tenant_pipeline.intake.readers.item import Item, Items, UnreadableError
from tenant_pipeline.intake.readers.tables_in_grid import unique_names
from tenant_pipeline.intake.readers.xml_elements import root_name
from tenant_pipeline.intake.readers.xml_stream import (
    child_text,
    element_text,
    forget,
    local_name,
    plain_text,
    xml_events,
)

_FIELDS = {"name": "name", "address": "address", "phoneNumber": "telephone"}
_GEOMETRIES = ("Point", "LineString", "LinearRing", "Polygon", "MultiGeometry")


def looks_like_kml(text: str, path: str) -> bool:
    """Whether the first element is KML's."""
    return root_name(text[:4000]) == "kml"


def read_kml(stream: BinaryIO, encoding: str) -> Items:
    """Placemarks as records: name, description without markup, extended data, times and geometry.

    Raises UnreadableError for XML that is not well-formed or not KML.
    """
    folders: list[str] = []
    number = 0
    root = None
    for event, element in xml_events(stream, "start", "end"):
        name = local_name(element)
        if event == "start":
            root = root or name
            if root != "kml":
                raise UnreadableError("not-kml", "The XML is not KML.")
            if name in ("Folder", "Document"):
                folders.append("")
        elif name in ("Folder", "Document") and folders:
            folders.pop()
            forget(element)
        elif name == "name" and folders and local_name(element.getparent()) in ("Folder", "Document"):
            folders[-1] = element_text(element) or ""
        elif name == "Placemark":
            number += 1
            values = {**_values(element), "folder": "/".join(filter(None, folders)) or None}
            yield Item("placemarks", f"placemark={number}", values)
            forget(element)


def _values(placemark: Any) -> dict[str, str | None]:
    found: list[tuple[str, str | None]] = []
    geometry: dict[str, str | None] = {}
    for child in placemark:
        name = local_name(child)
        if name in _FIELDS:
            found.append((_FIELDS[name], element_text(child)))
        elif name == "description":
            found.append(("description", plain_text(element_text(child))))
        elif name == "link" and child.get("href"):
            found.append(("url", child.get("href")))
        elif name == "TimeStamp":
            found.append(("date", child_text(child, "when")))
        elif name == "TimeSpan":
            found += [("start date", child_text(child, "begin")), ("end date", child_text(child, "end"))]
        elif name == "ExtendedData":
            found += _extended(child)
        elif name in _GEOMETRIES:
            geometry = geometry_values(_geometry(child))
    names = unique_names([name for name, _ in found])
    return {**{name: value for name, (_, value) in zip(names, found, strict=True)}, **geometry}


def _extended(data: Any) -> list[tuple[str, str | None]]:
    found = []
    for each in data.iter("{*}Data", "{*}SimpleData"):
        said = child_text(each, "value") if local_name(each) == "Data" else element_text(each)
        found.append((each.get("name") or "", plain_text(said)))
    return found


def _geometry(element: Any) -> dict[str, Any] | None:
    """The geometry in GeoJSON's terms; None where its coordinates are no numbers."""
    kind = local_name(element)
    if kind == "MultiGeometry":
        inner = [_geometry(child) for child in element if local_name(child) in _GEOMETRIES]
        return {"type": "GeometryCollection", "geometries": [each for each in inner if each is not None]}
    lists = [_coordinates(each.text or "") for each in element.iter("{*}coordinates")]
    if not lists or not all(lists):
        return None
    if kind == "Point":
        return {"type": "Point", "coordinates": lists[0][0]}
    if kind == "Polygon":
        return {"type": "Polygon", "coordinates": lists}
    return {"type": "LineString", "coordinates": lists[0]}


def _coordinates(text: str) -> list[list[float]]:
    """The positions, longitude first; none where one of them is not two or three numbers."""
    try:
        positions = [[float(number) for number in position.split(",")] for position in text.split()]
    except ValueError:
        return []
    return positions if all(len(position) in (2, 3) for position in positions) else []

"""GeoJSON: features as records, streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import ijson

from tenant_pipeline.intake.readers.item import Item, Items, UnreadableError, text_of
from tenant_pipeline.intake.readers.json_records import READ_BYTES, first_character, flatten
from tenant_pipeline.intake.readers.parser_guard import until_broken
from tenant_pipeline.intake.readers.storable import storable


def looks_like_geojson(text: str, path: str) -> bool:
    """Whether the text begins as an object that holds features."""
    start = text.lstrip("\ufeff \t\r\n")
    if not start.startswith("{"):
        return False
    return '"FeatureCollection"' in start[:5000] or ('"Feature"' in start[:2000] and '"geometry"' in start)


@until_broken("broken-json", "The JSON breaks off, or is not well-formed or too deeply nested.")
def read_geojson(stream: BinaryIO, encoding: str) -> Items:
    """Features as records: their properties, the kind of geometry, a point's longitude and latitude, and any other
    geometry as JSON text. Raises UnreadableError for what is not a GeoJSON object or not well-formed."""
    if first_character(stream) != b"{":
        raise UnreadableError("not-geojson", "The file is not a GeoJSON object.")
    features: Iterator[Any] = ijson.items(stream, "features.item", buf_size=READ_BYTES)
    position = -1
    for position, feature in enumerate(features):
        yield Item("", f"/features/{position}", feature_values(feature))
    if position < 0:
        stream.seek(0)
        yield Item("", "/", feature_values(json.loads(stream.read().decode("utf-8-sig"))))


def feature_values(feature: Any) -> dict[str, str | None]:
    """A feature's fields; of anything else its value."""
    if not isinstance(feature, dict):
        return flatten({"value": feature})
    properties = feature.get("properties")
    values = flatten(properties if isinstance(properties, dict) else {})
    if feature.get("id") is not None:
        values.setdefault("id", flatten({"id": feature["id"]}).get("id"))
    values.update(geometry_values(feature.get("geometry")))
    return values


def geometry_values(geometry: Any) -> dict[str, str | None]:
    """The kind of a GeoJSON geometry, and its point or itself as JSON text."""
    if not isinstance(geometry, dict):
        return {}
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    values = {"geometry.type": storable(text_of(kind) or "") or None}
    if kind == "Point" and isinstance(coordinates, list) and len(coordinates) >= 2:
        place = flatten({"longitude": coordinates[0], "latitude": coordinates[1]})
        values["longitude"], values["latitude"] = place.get("longitude"), place.get("latitude")
    elif coordinates is not None or geometry.get("geometries") is not None:
        values["geometry"] = storable(json.dumps(geometry, ensure_ascii=False, default=float))
    return values

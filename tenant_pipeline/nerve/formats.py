"""The live release in the formats of others: GeoJSON (RFC 7946) for maps, JSON-LD with schema.org terms for the web."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

Document = dict[str, Any]

COORDINATES = "geo"
"""The property whose value is a latitude and a longitude, as the standardise stage writes it."""


def geojson(documents: Iterable[Document]) -> Iterator[bytes]:
    """A FeatureCollection of the entities that have a place, a feature a piece."""
    yield b'{"type":"FeatureCollection","features":['
    first = True
    for document in documents:
        position = coordinates(document)
        if position is None:
            continue
        feature = {
            "type": "Feature",
            "id": document["id"],
            "geometry": {"type": "Point", "coordinates": [position[1], position[0]]},
            "properties": {"type": document["type"], "names": document["names"], **_flat(document, {COORDINATES})},
        }
        yield (b"" if first else b",") + _dump(feature)
        first = False
    yield b"]}"


def jsonld(documents: Iterable[Document], base: str) -> Iterator[bytes]:
    """A JSON-LD graph of every entity: schema.org types and properties, names with their languages."""
    yield b'{"@context":{"@vocab":"https://schema.org/","@base":' + _dump(base) + b'},"@graph":['
    first = True
    for document in documents:
        yield (b"" if first else b",") + _dump(linked(document))
        first = False
    yield b"]}"


def linked(document: Document) -> Document:
    """One entity as a node of JSON-LD."""
    node: Document = {"@id": f"entities/{document['id']}", "@type": document["type"]}
    for value in document["values"]:
        if value["property"] == COORDINATES:
            continue
        said: Any = {"@value": value["value"], "@language": value["lang"]} if value["lang"] else value["value"]
        held = node.setdefault(value["property"], [])
        if said not in held:  # once, for however many periods
            held.append(said)
    position = coordinates(document)
    if position is not None:
        node["geo"] = {"@type": "GeoCoordinates", "latitude": position[0], "longitude": position[1]}
    return node


def coordinates(document: Document) -> tuple[float, float] | None:
    """The entity's latitude and longitude in degrees (WGS 84), or None where it has none that can be read."""
    for value in document["values"]:
        if value["property"] == COORDINATES:
            parts = value["value"].split(",")
            try:
                latitude, longitude = (float(part) for part in parts)
            except ValueError:
                continue
            if -90 <= latitude <= 90 and -180 <= longitude <= 180:
                return latitude, longitude
    return None


def _flat(document: Document, without: set[str]) -> Document:
    found: Document = {}
    for value in document["values"]:
        if value["property"] not in without and not value["lang"]:
            held = found.setdefault(value["property"], [])
            if value["value"] not in held:
                held.append(value["value"])
    return found


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

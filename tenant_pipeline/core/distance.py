"""Positions on the earth, and how far apart they are."""

from __future__ import annotations

import math

EARTH_RADIUS_METRES = 6_371_008.8
"""The mean radius of the earth (IUGG)."""

Position = tuple[float, float]
"""Latitude and longitude in radians."""


def position(geo: str) -> Position | None:
    """The position of a canonical geo value, `latitude,longitude` in degrees; None for other text."""
    latitude, _, longitude = geo.partition(",")
    try:
        return math.radians(float(latitude)), math.radians(float(longitude))
    except ValueError:
        return None


def metres_between(one: Position, other: Position) -> float:
    """The distance along a great circle, in metres (haversine)."""
    (latitude, longitude), (other_latitude, other_longitude) = one, other
    half = (
        math.sin((other_latitude - latitude) / 2) ** 2
        + math.cos(latitude) * math.cos(other_latitude) * math.sin((other_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_METRES * math.asin(min(1.0, math.sqrt(half)))

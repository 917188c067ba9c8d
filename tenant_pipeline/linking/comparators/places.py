"""Where things are: distance, the area that contains them, the postal code."""

from __future__ import annotations

from tenant_pipeline.core.distance import metres_between, position
from tenant_pipeline.linking.comparators.evidence import Evidence
from tenant_pipeline.linking.features import Features

SAME_SPOT, NEAR, FAR = 60.0, 300.0, 3_000.0


def distance(left: Features, right: Features) -> Evidence | None:
    """The least distance between their coordinates (haversine); None where one has none."""
    metres = [
        metres_between(one, other)
        for one in map(position, left.values.get("geo", []))
        for other in map(position, right.values.get("geo", []))
        if one is not None and other is not None
    ]
    if not metres:
        return None
    least = min(metres)
    bits = 5.0 if least <= SAME_SPOT else 3.0 if least <= NEAR else -1.0 if least <= FAR else -8.0
    return Evidence("distance", bits, f"They are {least:.0f} m apart.")


def containing_area(left: Features, right: Features) -> Evidence | None:
    """Whether the same area contains both; None where one does not say."""
    return _agreement("containing_area", left, right, "containedInPlace", 3.0, -6.0, "area that contains them")


def postal_code(left: Features, right: Features) -> Evidence | None:
    """Whether their postal codes are the same; None where one has none."""
    return _agreement("postal_code", left, right, "postalCode", 2.0, -2.0, "postal code")


def _agreement(
    name: str, left: Features, right: Features, property_: str, same: float, different: float, what: str
) -> Evidence | None:
    ones, others = left.values.get(property_), right.values.get(property_)
    if not ones or not others:
        return None
    if set(ones) & set(others):
        return Evidence(name, same, f"The {what} is the same.")
    return Evidence(name, different, f"The {what} differs.")

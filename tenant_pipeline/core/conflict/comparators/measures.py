"""Numbers, areas and places: the same within the tolerance that the contract gives the property."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from tenant_pipeline.core.conflict.comparison import Compared, Verdict
from tenant_pipeline.core.distance import metres_between, position
from tenant_pipeline.core.vocabulary import PropertyDefinition


def compare_numbers(left: str, right: str, lang: str, definition: PropertyDefinition) -> Compared:
    """The numbers differ by less than the property's tolerance, as a share of the greater one."""
    try:
        one, other = Decimal(left), Decimal(right)
    except InvalidOperation:
        return Compared(Verdict.INCOMPARABLE, "numbers_of_unknown_form")
    if not (one.is_finite() and other.is_finite()):
        return Compared(Verdict.INCOMPARABLE, "numbers_of_unknown_form")
    if one == other:
        return Compared(Verdict.SAME, "numbers_equal")
    greater = max(abs(one), abs(other))
    if abs(one - other) <= Decimal(str(definition.tolerance or 0)) * greater:
        return Compared(Verdict.SAME, "numbers_within_tolerance")
    return Compared(Verdict.DIFFERS, "numbers_differ")


def compare_places(left: str, right: str, lang: str, definition: PropertyDefinition) -> Compared:
    """The places are nearer to each other than the property's tolerance in metres (haversine)."""
    one, other = position(left), position(right)
    if one is None or other is None:
        return Compared(Verdict.INCOMPARABLE, "places_of_unknown_form")
    if metres_between(one, other) <= (definition.tolerance or 0):
        return Compared(Verdict.SAME, "places_within_tolerance")
    return Compared(Verdict.DIFFERS, "places_too_far_apart")

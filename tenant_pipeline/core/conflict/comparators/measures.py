"""Numbers, areas and places: the same within the tolerance that the contract gives the property."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from tenant_pipeline.core.conflict.comparators.pair import Pair
from tenant_pipeline.core.conflict.comparison import Verdict
from tenant_pipeline.core.distance import metres_between, position

LEAST_SIGNIFICANT = 2
"""A number of one significant digit is the rounded form of too many to confirm any."""


def numbers_of_unknown_form(pair: Pair) -> Verdict | None:
    """One of the numbers cannot be read as a number."""
    return Verdict.INCOMPARABLE if _number(pair.left) is None or _number(pair.right) is None else None


def numbers_equal(pair: Pair) -> Verdict | None:
    """The numbers are equal, written in two ways."""
    return Verdict.SAME if _number(pair.left) == _number(pair.right) else None


def numbers_within_tolerance(pair: Pair) -> Verdict | None:
    """The numbers differ by less than the property's tolerance, as a share of the greater one."""
    left, right = _number(pair.left), _number(pair.right)
    if left is None or right is None or not pair.definition.tolerance:
        return None
    allowed = Decimal(str(pair.definition.tolerance)) * max(abs(left), abs(right))
    return Verdict.SAME if abs(left - right) <= allowed else None


def number_is_the_other_rounded(pair: Pair) -> Verdict | None:
    """One number is the other rounded to fewer significant digits, but not to one alone."""
    left, right = _number(pair.left), _number(pair.right)
    if left is None or right is None:
        return None
    coarse, fine = sorted((left, right), key=_significant)
    digits = _significant(coarse)
    if not LEAST_SIGNIFICANT <= digits < _significant(fine):
        return None
    place = Decimal(1).scaleb(fine.adjusted() - digits + 1)
    return Verdict.REFINES if fine.quantize(place, ROUND_HALF_UP) == coarse else None


def numbers_differ(pair: Pair) -> Verdict:
    """The numbers differ by more than the property's tolerance."""
    return Verdict.DIFFERS


def places_of_unknown_form(pair: Pair) -> Verdict | None:
    """One of the places is no pair of latitude and longitude."""
    return Verdict.INCOMPARABLE if position(pair.left) is None or position(pair.right) is None else None


def places_within_tolerance(pair: Pair) -> Verdict | None:
    """The places are nearer to each other than the property's tolerance in metres."""
    left, right = position(pair.left), position(pair.right)
    if left is None or right is None:
        return None
    return Verdict.SAME if metres_between(left, right) <= (pair.definition.tolerance or 0) else None


def places_too_far_apart(pair: Pair) -> Verdict:
    """The places are further from each other than the property's tolerance in metres."""
    return Verdict.DIFFERS


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _significant(number: Decimal) -> int:
    """Significant digits: trailing zeros of a whole number are taken for rounding."""
    return len(number.normalize().as_tuple().digits)

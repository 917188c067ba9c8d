"""How things are reached, and when they take place: what two different things seldom share."""

from __future__ import annotations

from tenant_pipeline.linking.comparators.evidence import Evidence
from tenant_pipeline.linking.features import Features


def telephone(left: Features, right: Features) -> Evidence | None:
    """A telephone number that both have, or its pseudonym; None otherwise: a thing has several numbers."""
    shared = set(left.values.get("telephone", [])) & set(right.values.get("telephone", []))
    return Evidence("telephone", 6.0, "They share a telephone number.") if shared else None


def website(left: Features, right: Features) -> Evidence | None:
    """A web address that both have; None otherwise."""
    shared = set(left.values.get("url", [])) & set(right.values.get("url", []))
    return Evidence("website", 5.0, "They share a web address.") if shared else None


def start_date(left: Features, right: Features) -> Evidence | None:
    """Whether they begin on the same day; None where one does not say. Editions of an event differ in this alone."""
    ones, others = left.values.get("startDate"), right.values.get("startDate")
    if not ones or not others:
        return None
    if set(ones) & set(others):
        return Evidence("start_date", 4.0, "They begin on the same day.")
    return Evidence("start_date", -12.0, "They begin on different days.")

"""Persons, as those who act are named: an act of weight names who does it, and why."""

from __future__ import annotations

from tenant_pipeline.core.errors import InputError


def require_person_and_reason(
    person: str,
    reason: str,
    what: str = "A person and a reason are needed",
    *,
    where: str = "--person, --reason",
    remedy: str = "",
) -> None:
    """Return where both are given. Raises InputError that says `what`, where one is blank."""
    if not person.strip() or not reason.strip():
        raise InputError(what, where=where, remedy=remedy)

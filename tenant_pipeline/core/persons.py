"""Persons, as those who act are named: who does an act of weight, and why, and whether two names are one person's."""

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


def is_same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: neither case nor blanks around a name make another person of it.

    Who asked may not decide, and so does not under their own name written otherwise either.
    """
    return one.strip().casefold() == other.strip().casefold()

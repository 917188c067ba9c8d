"""A record of processing activities: what for, on which basis, of whom, how long, and where it goes."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenant_pipeline.core.compliance.lawful_basis import LawfulBasis, SpecialCategoryBasis, TransferSafeguard
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import SourceId

_ACTIVITY = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


@dataclass(frozen=True)
class Destination:
    """A country (ISO 3166-1 alpha-2) that personal data goes to, and what lets it."""

    country: str
    safeguard: TransferSafeguard


@dataclass(frozen=True)
class ProcessingRecord:
    """One activity as a tenant declares it (PDPA s.39, GDPR art. 30); without sources it is about all of them.

    Raises InputError for a name, purpose, category of data subjects, retention or country that cannot be.
    """

    activity: str
    purpose: str
    basis: LawfulBasis
    special_basis: SpecialCategoryBasis | None
    subjects: tuple[str, ...]
    retention_days: int
    destinations: tuple[Destination, ...] = ()
    sources: tuple[SourceId, ...] = ()

    def __post_init__(self) -> None:
        if not _ACTIVITY.fullmatch(self.activity):
            raise InputError(
                "That is not an activity's name", where="--activity", remedy="Lower case letters, digits and hyphens."
            )
        if not self.purpose.strip():
            raise InputError("An activity has a purpose", where="--purpose")
        if not self.subjects or not all(each.strip() for each in self.subjects):
            raise InputError("An activity is about categories of data subjects", where="--subjects")
        if self.retention_days < 1:
            raise InputError("Data is kept for a number of days", where="--retention-days", remedy="1 or more.")
        if not all(_COUNTRY.fullmatch(each.country) for each in self.destinations):
            raise InputError(
                "That is not a country's code", where="--destination", remedy="Two capital letters, as ISO 3166-1 has."
            )

    def covers(self, source: SourceId) -> bool:
        """Whether the activity is about this source."""
        return not self.sources or source in self.sources

    def kept_too_long(self, received_at: datetime, now: datetime) -> bool:
        """Whether what was received then is held beyond the declared period at `now`."""
        return (now - received_at) / timedelta(days=1) > self.retention_days

    def as_json(self) -> dict[str, Any]:
        """The record as the command line and the evidence give it."""
        return {
            "activity": self.activity,
            "purpose": self.purpose,
            "basis": str(self.basis),
            "special_basis": str(self.special_basis or ""),
            "subjects": list(self.subjects),
            "retention_days": self.retention_days,
            "destinations": [{"country": each.country, "safeguard": str(each.safeguard)} for each in self.destinations],
            "sources": list(self.sources),
        }


def covering(records: Collection[ProcessingRecord], source: SourceId) -> list[ProcessingRecord]:
    """The activities that are about a source."""
    return [each for each in records if each.covers(source)]

"""How long the law leaves: seventy-two hours to notify of a breach, thirty days to answer a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

BREACH_NOTIFICATION = timedelta(hours=72)
"""From becoming aware of a breach to notifying the Office (PDPA s.37(4))."""

ERASURE = timedelta(days=30)
"""From a person's request to its end: what s.30 allows for access, held here for erasure (s.33) as well."""


@dataclass(frozen=True)
class Deadline:
    """A clock that runs from `began` for `allowed`; `ended` is when it was met, None while it runs."""

    began: datetime
    allowed: timedelta
    ended: datetime | None = None

    @property
    def due(self) -> datetime:
        """By when it has to be met."""
        return self.began + self.allowed

    def remaining(self, now: datetime) -> timedelta:
        """What is left at `now`, or was left when it was met; negative when overdue."""
        return self.due - (self.ended or now)

    def overdue(self, now: datetime) -> bool:
        """Whether it was missed, or is past."""
        return self.remaining(now) < timedelta(0)

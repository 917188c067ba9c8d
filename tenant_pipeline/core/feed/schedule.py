"""When a feed is asked next: by its cron expression in its time zone, later by a little, and sooner after a failure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from tenant_pipeline.core.errors import InputError

MOST_JITTER = timedelta(minutes=2)
FIRST_BACK_OFF, LONGEST_BACK_OFF = timedelta(minutes=1), timedelta(hours=6)
SHORTEST_INTERVAL = timedelta(minutes=5)
_LOOKED_AT = 60


@dataclass(frozen=True)
class Schedule:
    """A cron expression (five fields) in a time zone (IANA name). A wall-clock time that a change of the clocks skips
    comes right after the change; one that comes twice comes once."""

    cron: str
    time_zone: str

    def check(self, start: datetime) -> None:
        """Raises InputError for no cron expression, no zone, times that never come, or more than every five minutes."""
        try:
            zone = ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InputError(
                "There is no such time zone", where="--time-zone", remedy="An IANA name, such as Asia/Bangkok."
            ) from None
        try:
            if len(self.cron.split()) != 5:
                raise CronSimError
            times = CronSim(self.cron, start.astimezone(zone))
            found = [each.astimezone(UTC) for each, _ in zip(times, range(_LOOKED_AT), strict=False)]
        except CronSimError:
            raise InputError(
                "That is no cron expression, or its day is in none of its months",
                where="--cron",
                remedy='Five fields, such as "30 6 * * 1-5".',
            ) from None
        if not found:
            raise InputError("That time never comes", where="--cron", remedy="Look at the day and the month.")
        if any(later - earlier < SHORTEST_INTERVAL for earlier, later in pairwise(found)):
            raise InputError("A feed is asked every five minutes at most", where="--cron", remedy='As "*/5 * * * *".')

    def due_after(self, moment: datetime, feed: str) -> datetime:
        """The next time after `moment` (with a zone), in UTC, and up to two minutes later.

        By how much is the feed's own and always the same, so that feeds of one time do not all ask at once.
        """
        next_time: datetime = next(CronSim(self.cron, moment.astimezone(ZoneInfo(self.time_zone))))
        return next_time.astimezone(UTC) + MOST_JITTER * _fraction(feed)


def due_after_failure(moment: datetime, feed: str, failures: int, retry_after: float | None = None) -> datetime:
    """When to ask again after so many failures in a row: after a minute, two, four … up to six hours, and a little.

    Not before the server wants it (Retry-After, in seconds), up to a day.
    """
    pause = min(FIRST_BACK_OFF * 2.0 ** min(failures - 1, 20), LONGEST_BACK_OFF)
    asked = timedelta(seconds=min(retry_after or 0.0, 86_400.0))
    return moment + max(pause * (1 + 0.2 * _fraction(feed)), asked)


def _fraction(feed: str) -> float:
    return int.from_bytes(sha256(feed.encode()).digest()[:4], "big") / 2**32

"""The releases from quarantine that hold for a source as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tenant_pipeline.core.stage import Stage
from tenant_pipeline.intake.overruled import OverruledRefusal
from tenant_pipeline.services.sources import Source
from tenant_pipeline.storage.database import Connection


@dataclass(frozen=True)
class GivenRelease:
    """A release, who gave it, and whether that was for the source's present version."""

    stage: Stage
    release: OverruledRefusal
    person: str
    released_at: datetime
    of_this_version: bool


def releases_of(connection: Connection, source: Source) -> list[GivenRelease]:
    """The releases that hold for the present version of a source, in the order in which they were given.

    Those that note what was looked at hold for that content in every version; the others for their own version only.
    """
    rows = connection.execute(
        """
        SELECT stage, locator, code, content_digest, person, released_at, unit_digest = %(unit)s AS of_this_version
          FROM runtime.quarantine_releases
         WHERE tenant_id = %(tenant)s AND source_id = %(source)s
           AND (content_digest IS NOT NULL OR unit_digest = %(unit)s)
         ORDER BY released_at, stage, locator, code, unit_digest
        """,
        {"tenant": source.tenant, "source": source.id, "unit": source.unit_digest},
    ).fetchall()
    return [
        GivenRelease(
            Stage(row["stage"]),
            OverruledRefusal(row["locator"], row["code"], row["content_digest"] or ""),
            row["person"],
            row["released_at"],
            row["of_this_version"],
        )
        for row in rows
    ]

"""The versions of a feed: each kept for good; those that look wrong wait for a person before they flow on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.feed.profile import FeedProfile
from tenant_pipeline.core.origin import Unit
from tenant_pipeline.core.sentences.reading import Tell, in_english
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.readers.item import RECORDS
from tenant_pipeline.services.feeds.feeds import Feed, lock_feed
from tenant_pipeline.services.inspection import inspect_unit
from tenant_pipeline.services.kept_units import kept_unit
from tenant_pipeline.services.objects import screened_fields
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import insert_source, renew_source
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

DECIDING_ROLES = ("reviewer", "tenant-admin", "platform-governance")
VERSIONS_SHOWN = 50


@dataclass(frozen=True)
class FeedVersion:
    """A version that was fetched. `reasons` tell why it was held; it flows on without any, or once it is accepted."""

    number: int
    unit_digest: Sha256
    profile: FeedProfile
    reasons: tuple[str, ...]
    fetched_at: datetime
    decision: str | None
    person: str | None
    why: str | None

    @property
    def taken_in(self) -> bool:
        """Whether it went on into the stages."""
        return not self.reasons or self.decision == "accept"

    def as_json(self, tell: Tell = in_english) -> dict[str, Any]:
        """The version as the command line and the API give it, its reasons as `tell` says them."""
        return {
            "number": self.number,
            "unit_digest": self.unit_digest,
            "rows": self.profile.rows,
            "reasons": [tell(reason) for reason in self.reasons],
            "fetched_at": self.fetched_at.isoformat(),
            "decision": self.decision,
            "person": self.person,
            "why": self.why,
            "taken_in": self.taken_in,
        }


def profile_of(runtime: Runtime, feed: Feed, unit: Unit) -> tuple[FeedProfile, dict[str, str]]:
    """What a unit looks like, and the files in it that cannot be read, each with the reason.

    A version is compared with the next one, and told to people: what names a person in its fields is replaced.
    """
    found = inspect_unit(unit, runtime.raw_zone(feed.tenant), feed.origin, runtime.contracts)
    tables = [table for each in found for table in each.tables]
    schemas = frozenset(
        screened_fields(runtime, feed.tenant, table.fields) for table in tables if table.shape == RECORDS
    )
    unread = {f"file {number}": each.reason or each.refused for number, each in enumerate(found, 1) if each.refused}
    key = runtime.keys.digest_key(feed.tenant)
    return FeedProfile(sum(table.rows for table in tables), schemas, key.key_id), unread


def comparable_profile(runtime: Runtime, feed: Feed, version: FeedVersion) -> FeedProfile:
    """What a version looks like beside one of now: as it is kept, or made anew where that was under another key."""
    if version.profile.key == runtime.keys.digest_key(feed.tenant).key_id:
        return version.profile
    return profile_of(runtime, feed, kept_unit(runtime.raw_zone(feed.tenant), version.unit_digest))[0]


_VERSIONS = """
SELECT version.number, unit_digest, profile, reasons, fetched_at, decision, person, decided.reason AS why
  FROM runtime.feed_versions AS version
  LEFT JOIN runtime.feed_decisions AS decided USING (tenant_id, feed_id, number)
 WHERE version.tenant_id = %(tenant)s AND version.feed_id = %(feed)s
   AND version.number < coalesce(%(before)s::integer, 2147483647)
   AND (NOT %(taken_in)s OR reasons = '[]' OR decision = 'accept')
 ORDER BY version.number DESC LIMIT %(limit)s
"""


def versions_of(
    connection: Connection, feed: Feed, *, limit: int = VERSIONS_SHOWN, before: int | None = None
) -> list[FeedVersion]:
    """At most `limit` versions of a feed, the newest first, that came before that of number `before`."""
    return _read(connection, feed, limit=limit, before=before)


def newest_versions(connection: Connection, feed: Feed) -> tuple[FeedVersion | None, FeedVersion | None]:
    """The version that was fetched last, and the one that was taken in last."""
    newest = next(iter(versions_of(connection, feed, limit=1)), None)
    if newest is None or newest.taken_in:
        return newest, newest
    return newest, next(iter(_read(connection, feed, limit=1, taken_in=True)), None)


def _read(
    connection: Connection, feed: Feed, *, limit: int, before: int | None = None, taken_in: bool = False
) -> list[FeedVersion]:
    wanted = {"tenant": feed.tenant, "feed": feed.id, "limit": limit, "before": before, "taken_in": taken_in}
    return [
        FeedVersion(**{**row, "profile": FeedProfile.from_json(row["profile"]), "reasons": tuple(row["reasons"])})
        for row in connection.execute(_VERSIONS, wanted)
    ]


def add_version(
    connection: Connection,
    runtime: Runtime,
    feed: Feed,
    unit: Unit,
    profile: FeedProfile,
    reasons: Sequence[str],
) -> int:
    """Keep a new version; without reasons to wait it becomes the unit of the feed's source. Returns its number.

    Raises SourceInUseError while the version before is still on its way.
    """
    now = runtime.now()
    _lock_source(connection, feed)
    (number,) = connection.execute(
        """
        INSERT INTO runtime.feed_versions (tenant_id, feed_id, number, unit_digest, profile, reasons, fetched_at)
        SELECT %(tenant)s, %(feed)s, coalesce(max(number), 0) + 1, %(digest)s, %(profile)s, %(reasons)s, %(now)s
          FROM runtime.feed_versions WHERE tenant_id = %(tenant)s AND feed_id = %(feed)s
        RETURNING number
        """,
        {
            "tenant": feed.tenant, "feed": feed.id, "digest": unit.digest, "profile": Jsonb(profile.as_json()),
            "reasons": Jsonb(list(reasons)), "now": now,
        },
    ).fetchall()  # fmt: skip
    # Of the version before it is told how it was; of this one nothing yet.
    connection.execute(
        "UPDATE runtime.feeds SET held = %s, told_health = NULL WHERE tenant_id = %s AND id = %s",
        (bool(reasons), feed.tenant, feed.id),
    )
    details = {"version": number["number"], "unit_digest": unit.digest, "rows": profile.rows}
    if reasons:
        codes = [reason.partition(":")[0] for reason in reasons]
        _audit(connection, runtime, feed, "feed", "feed.held", {**details, "reasons": codes})
    else:
        _audit(connection, runtime, feed, "feed", "feed.version", details)
        _take_in(connection, runtime, feed, unit, now)
    return int(number["number"])


def decide(
    runtime: Runtime, tenant: TenantId, feed_id: str, number: int, decision: str, *, person: str, role: str, reason: str
) -> FeedVersion:
    """Let a version flow on that was held, or refuse it. Audited.

    Raises NotFoundError for no such feed or version, NotAllowedError without the role, InputError for a version that
    was not held, that was decided, or that a newer one has taken the place of, SourceInUseError while the version
    before is still on its way.
    """
    if decision not in ("accept", "refuse") or not person.strip() or not reason.strip():
        raise InputError("A person decides, for a reason", where="--reason", remedy="accept or refuse, and why.")
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, DECIDING_ROLES)
    with runtime.database.tenant(tenant) as connection:
        feed = lock_feed(connection, tenant, feed_id)
        newest = next(iter(versions_of(connection, feed, limit=1)), None)
        if newest is None or not 1 <= number <= newest.number:
            raise NotFoundError(f"There is no version {number}", where=feed_id, remedy="`tenant-pipeline feed show`.")
        if not newest.reasons or newest.decision or number != newest.number:
            raise InputError(
                "That version does not wait for a decision", where=f"{feed_id} {number}", remedy="Only the newest can."
            )
        now = runtime.now()
        _lock_source(connection, feed)
        connection.execute(
            """
            INSERT INTO runtime.feed_decisions (tenant_id, feed_id, number, decision, person, role, reason, decided_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (tenant, feed_id, number, decision, person, role, reason, now),
        )
        connection.execute("UPDATE runtime.feeds SET held = false WHERE tenant_id = %s AND id = %s", (tenant, feed_id))
        details = {"version": number, "decision": decision, "role": role, "reason": reason}
        _audit(connection, runtime, feed, person, "feed.decided", details)
        if decision == "accept":
            _take_in(connection, runtime, feed, kept_unit(runtime.raw_zone(tenant), newest.unit_digest), now)
        return versions_of(connection, feed, limit=1)[0]


def _lock_source(connection: Connection, feed: Feed) -> None:
    """Lock the feed's source before the audit log is: who compares sources takes them in this order."""
    connection.execute(
        "SELECT FROM runtime.tenant_sources WHERE tenant_id = %s AND id = %s FOR NO KEY UPDATE",
        (feed.tenant, feed.source_id),
    )


def _take_in(connection: Connection, runtime: Runtime, feed: Feed, unit: Unit, now: datetime) -> None:
    known = connection.execute(
        "SELECT FROM runtime.tenant_sources WHERE tenant_id = %s AND id = %s", (feed.tenant, feed.source_id)
    ).fetchone()
    if known is None:
        insert_source(
            connection, runtime, feed.tenant, feed.source_id, unit, origin=feed.origin, title=feed.title, actor=feed.id,
            rights=feed.rights, observed_at=now, url=feed.url,
        )  # fmt: skip
    else:
        renew_source(
            connection, runtime, feed.tenant, feed.source_id, unit, actor=feed.id, observed_at=now, url=feed.url
        )
    connection.execute(
        "UPDATE runtime.feeds SET changed_at = %s WHERE tenant_id = %s AND id = %s", (now, feed.tenant, feed.id)
    )


def _audit(
    connection: Connection, runtime: Runtime, feed: Feed, actor: str, action: str, details: dict[str, Any]
) -> None:
    entry = AuditEntry(actor=actor, action=action, subject=feed.id, details=details)
    runtime.audit.append(connection, feed.tenant, [entry])

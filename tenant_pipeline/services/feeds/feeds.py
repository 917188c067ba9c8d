"""The feeds of a tenant: kept as rows, added, changed, paused and ended; nothing of them is ever deleted."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.feed.profile import Expectations
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.rows import row_as_json
from tenant_pipeline.core.tenancy import SourceId, TenantId, source_id
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.intake.link.target import checked_url
from tenant_pipeline.services import registry
from tenant_pipeline.services.feature_flags.overrides import require_on
from tenant_pipeline.services.feeds.credentials import credential_of
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_changes import put_right
from tenant_pipeline.services.sources import LINKS
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

FEED_ROLES = ("tenant-admin", "platform-governance")
STATUSES = ("active", "paused", "ended")
MOST_ROWS, MOST_HOURS = 1_000_000_000, 100_000
CHANGEABLE = (
    "title", "url", "rights", "cron", "time_zone", "credential", "least_rows", "most_loss", "fresh_within_hours",
)  # fmt: skip
"""What can be changed of a feed. Its origin cannot: it says how far the source is trusted."""

_COLUMNS = """tenant_id AS tenant, id, title, url, origin, rights, cron, time_zone, credential, least_rows, most_loss,
              fresh_within_hours, status, source_id, due_at, failures, error, checked_at, changed_at, alerted,
              held, asked_at, created_at"""


@dataclass(frozen=True)
class Feed:
    """A feed as it is kept, and how it stands. `alerted` is "", "dead" (it does not answer) or "stale".

    `held`: its newest version waits for a person. `asked_at`: when asking it last came to an end, well or not.
    """

    tenant: TenantId
    id: str
    title: str
    url: str
    origin: Origin
    rights: str
    cron: str
    time_zone: str
    credential: str
    least_rows: int
    most_loss: float
    fresh_within_hours: int | None
    status: str
    source_id: SourceId
    due_at: datetime
    failures: int
    error: str
    checked_at: datetime | None
    changed_at: datetime | None
    alerted: str
    held: bool
    asked_at: datetime | None
    created_at: datetime

    @property
    def schedule(self) -> Schedule:
        """When it is asked."""
        return Schedule(self.cron, self.time_zone)

    @property
    def expectations(self) -> Expectations:
        """What is expected of its versions."""
        return Expectations(self.least_rows, self.most_loss)

    def as_json(self) -> dict[str, Any]:
        """The feed as the command line and the API give it."""
        return row_as_json({**asdict(self), "origin": str(self.origin)})


@dataclass(frozen=True)
class NewFeed:
    """What is asked of a new feed."""

    title: str
    url: str
    origin: Origin
    schedule: Schedule
    expectations: Expectations = field(default_factory=Expectations)
    rights: str = ""
    credential: str = ""
    fresh_within_hours: int | None = None


def add_feed(runtime: Runtime, tenant: TenantId, wanted: NewFeed, *, actor: str) -> Feed:
    """Add a feed, to be asked at once and then by its schedule. Audited.

    Raises InputError for an address that is not public or that another feed has, for a schedule that is none, for
    expectations that nothing meets, SwitchedOffError where the tenant's links are off, KeysDestroyedError for a tenant
    that was erased, and NotFoundError for no such tenant or credential.
    """
    registry.require_in_service(runtime, tenant)
    url = _checked(runtime, tenant, wanted)
    now = runtime.now()
    identifier = f"feed-{secrets.token_hex(8)}"
    with runtime.database.tenant(tenant) as connection:
        require_on(connection, tenant, LINKS, now)
        _require_new_address(connection, tenant, url)
        connection.execute(
            """
            INSERT INTO runtime.feeds
                   (tenant_id, id, title, url, origin, rights, cron, time_zone, credential, least_rows, most_loss,
                    fresh_within_hours, source_id, due_at, created_by, created_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                tenant, identifier, wanted.title, url, str(wanted.origin), wanted.rights, wanted.schedule.cron,
                wanted.schedule.time_zone, wanted.credential, wanted.expectations.least_rows,
                wanted.expectations.most_loss, wanted.fresh_within_hours, source_id(f"src-{secrets.token_hex(8)}"), now,
                actor, now,
            ),
        )  # fmt: skip
        details = {"origin": str(wanted.origin), "cron": wanted.schedule.cron, "time_zone": wanted.schedule.time_zone}
        entry = AuditEntry(actor=actor, action="feed.add", subject=identifier, details=details)
        runtime.audit.append(connection, tenant, [entry])
        return get_feed(connection, tenant, identifier)


def change_feed(runtime: Runtime, tenant: TenantId, feed: str, changes: Mapping[str, Any], *, actor: str) -> Feed:
    """Change some of what `CHANGEABLE` names. With another address it is asked at once, with another time by that.

    One that fails is asked at once with another secret, too.

    What is fetched at this moment from the old address is given up. Its source takes its title and its rights. Audited:
    what was changed, and of the times and expectations from what to what.

    Raises InputError and KeysDestroyedError as `add_feed` does, InputError for what cannot be changed and for a feed
    that has ended, and NotFoundError.
    """
    runtime.keys.require_not_destroyed(tenant)
    if unknown := sorted(set(changes) - set(CHANGEABLE)):
        raise InputError(f"That cannot be changed: {', '.join(unknown)}", where=feed, remedy="End it, and add another.")
    with runtime.database.tenant(tenant) as connection:
        before = lock_feed(connection, tenant, feed)
        if before.status == "ended":
            raise InputError("The feed has ended", where=feed, remedy="Add a new one.")
        after = replace(before, **changes)
        wanted = NewFeed(
            after.title, after.url, after.origin, after.schedule, after.expectations, after.rights, after.credential,
            after.fresh_within_hours,
        )  # fmt: skip
        after = replace(after, url=_checked(runtime, tenant, wanted))
        changed = [name for name in CHANGEABLE if getattr(before, name) != getattr(after, name)]
        if not changed:
            return before
        now = runtime.now()
        if "url" in changed:
            _require_new_address(connection, tenant, after.url)
            after = replace(after, due_at=now, failures=0, error="")
        elif "credential" in changed and before.failures:
            after = replace(after, due_at=now)
        elif after.schedule != before.schedule:
            after = replace(after, due_at=after.schedule.due_after(now, feed))
        kept = (*CHANGEABLE, "due_at", "failures", "error")
        connection.execute(
            f"UPDATE runtime.feeds SET {', '.join(f'{name} = %({name})s' for name in kept)}"
            " WHERE tenant_id = %(tenant)s AND id = %(id)s",
            asdict(after),
        )
        said: dict[str, str] = {name: getattr(after, name) for name in changed if name in ("title", "rights")}
        if said:
            _carry_on(connection, runtime, after, said, actor)
        told = [name for name in changed if name not in ("title", "url", "rights")]
        details = {"changed": changed, **{name: [getattr(before, name), getattr(after, name)] for name in told}}
        entry = AuditEntry(actor=actor, action="feed.change", subject=feed, details=details)
        runtime.audit.append(connection, tenant, [entry])
        return get_feed(connection, tenant, feed)


def _carry_on(connection: Connection, runtime: Runtime, feed: Feed, said: Mapping[str, str], actor: str) -> None:
    """Let the feed's source, if it has brought one, have what is said of the feed."""
    brought = connection.execute(
        "SELECT FROM runtime.tenant_sources WHERE tenant_id = %s AND id = %s", (feed.tenant, feed.source_id)
    ).fetchone()
    if brought is not None:
        put_right(connection, runtime, feed.tenant, feed.source_id, said, actor=actor)


def _checked(runtime: Runtime, tenant: TenantId, wanted: NewFeed) -> str:
    """The address of a feed that may be kept as it is wanted. Raises InputError and NotFoundError as `add_feed`."""
    url = str(checked_url(wanted.url, LinkPolicy(allow_loopback=runtime.settings.loopback_links)))
    wanted.schedule.check(runtime.now())
    if not wanted.title.strip():
        raise InputError("A feed needs a title", where="--title")
    if not 0 <= wanted.expectations.most_loss <= 1:
        raise InputError("That cannot be expected", where="--most-loss", remedy="A share from 0 to 1.")
    if not 0 <= wanted.expectations.least_rows <= MOST_ROWS:
        raise InputError("That cannot be expected", where="--least-rows", remedy=f"From 0 to {MOST_ROWS} rows.")
    if wanted.fresh_within_hours is not None and not 1 <= wanted.fresh_within_hours <= MOST_HOURS:
        raise InputError(
            "That cannot be expected", where="--fresh-within-hours", remedy=f"From 1 to {MOST_HOURS} hours."
        )
    if wanted.credential:
        credential_of(runtime, tenant, wanted.credential)
    return url


def _require_new_address(connection: Connection, tenant: TenantId, url: str) -> None:
    known = connection.execute(
        "SELECT id FROM runtime.feeds WHERE tenant_id = %s AND url = %s AND status <> 'ended'", (tenant, url)
    ).fetchone()
    if known:
        raise InputError("The tenant has this feed", where=known["id"], remedy="Change that one, or end it first.")


def set_status(runtime: Runtime, tenant: TenantId, feed: str, status: str, *, actor: str) -> Feed:
    """Pause a feed, let it go on (it is then asked at once), or end it for good. Audited.

    Raises NotFoundError, and InputError for another status or a feed that has ended.
    """
    if status not in STATUSES:
        raise InputError("There is no such status", where="status", remedy=f"One of {', '.join(STATUSES)}.")
    with runtime.database.tenant(tenant) as connection:
        before = lock_feed(connection, tenant, feed)
        if before.status == status:
            return before
        if before.status == "ended":
            raise InputError("The feed has ended", where=feed, remedy="Add a new one.")
        connection.execute(
            """
            UPDATE runtime.feeds SET status = %s, due_at = %s, failures = 0 WHERE tenant_id = %s AND id = %s
            """,
            (status, runtime.now(), tenant, feed),
        )
        details = {"from": before.status, "to": status}
        entry = AuditEntry(actor=actor, action="feed.status", subject=feed, details=details)
        runtime.audit.append(connection, tenant, [entry])
        return get_feed(connection, tenant, feed)


def end_feed_of(connection: Connection, tenant: TenantId, source: SourceId, *, actor: str) -> list[AuditEntry]:
    """End the feed that brings a source, where one does, in the caller's transaction.

    Returns what the caller is to put in the audit log, whose lock is the last to be taken.
    """
    feeds = connection.execute(
        """
        SELECT id, status FROM runtime.feeds
         WHERE tenant_id = %s AND source_id = %s AND status <> 'ended' FOR UPDATE
        """,
        (tenant, source),
    ).fetchall()
    connection.execute(
        "UPDATE runtime.feeds SET status = 'ended', failures = 0 WHERE tenant_id = %s AND id = ANY(%s)",
        (tenant, [feed["id"] for feed in feeds]),
    )
    return [AuditEntry(actor, "feed.status", feed["id"], {"from": feed["status"], "to": "ended"}) for feed in feeds]


def get_feed(connection: Connection, tenant: TenantId, feed: str) -> Feed:
    """One feed. Raises NotFoundError when the tenant has none of that id."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM runtime.feeds WHERE tenant_id = %s AND id = %s", (tenant, feed)
    ).fetchone()
    if row is None:
        raise NotFoundError(f"There is no feed {feed}", where=tenant, remedy="`tenant-pipeline feed list` shows them.")
    return feed_of(row)


def lock_feed(connection: Connection, tenant: TenantId, feed: str) -> Feed:
    """As `get_feed`; until the transaction ends nobody else changes it."""
    connection.execute("SELECT FROM runtime.feeds WHERE tenant_id = %s AND id = %s FOR UPDATE", (tenant, feed))
    return get_feed(connection, tenant, feed)


def list_feeds(runtime: Runtime, tenant: TenantId) -> list[Feed]:
    """The tenant's feeds in the order in which they came. Raises NotFoundError for no such tenant."""
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM runtime.feeds WHERE tenant_id = %s ORDER BY created_at, id", (tenant,)
        ).fetchall()
    return [feed_of(row) for row in rows]


def claim_feed(connection: Connection, tenant: TenantId, feed: str, now: datetime, until: datetime) -> Feed | None:
    """The feed, if it is due; nobody else has it then before `until`, by when who claimed it has ended or is dead."""
    row = connection.execute(
        f"""
        UPDATE runtime.feeds SET due_at = %s
         WHERE tenant_id = %s AND id = %s AND status = 'active' AND due_at <= %s
        RETURNING {_COLUMNS}
        """,
        (until, tenant, feed, now),
    ).fetchone()
    return feed_of(row) if row else None


def feed_of(row: dict[str, Any]) -> Feed:
    """A feed of its row."""
    return Feed(**{**row, "origin": Origin(row["origin"])})

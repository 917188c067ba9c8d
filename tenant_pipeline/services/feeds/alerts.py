"""Which feeds are dead (they do not answer) or stale (they bring nothing new); each is told once, and its end too."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.feature_flags.overrides import switched_off
from tenant_pipeline.services.feeds.feeds import Feed, lock_feed
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import LINKS
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection, bound_waiting

FEEDS_AT_ONCE = 100
_log = logging.getLogger(__name__)


def is_stale(feed: Feed, now: datetime) -> bool:
    """Whether nothing new was taken in for longer than is expected of the feed."""
    if feed.fresh_within_hours is None:
        return False
    return now - (feed.changed_at or feed.created_at) > timedelta(hours=feed.fresh_within_hours)


def alert(connection: Connection, runtime: Runtime, feed: Feed, alerted: str) -> Feed:
    """The feed, once it is noted that it is dead or stale, or neither any more. Audited."""
    if alerted == feed.alerted:
        return feed
    connection.execute(
        "UPDATE runtime.feeds SET alerted = %s WHERE tenant_id = %s AND id = %s", (alerted, feed.tenant, feed.id)
    )
    details = {"failures": feed.failures, "error": feed.error, "before": feed.alerted}
    action = f"feed.{alerted}" if alerted else "feed.recovered"
    runtime.audit.append(
        connection, feed.tenant, [AuditEntry(actor="feed", action=action, subject=feed.id, details=details)]
    )
    return replace(feed, alerted=alerted)


def note_stale_feeds(runtime: Runtime) -> list[Feed]:
    """Note of feeds that have become stale since anybody asked them that they are; returns those. Audited.

    Those of tenants that take nothing in are left alone. What keeps one from being noted is logged, and keeps no other.
    """
    now = runtime.now()
    with runtime.database.platform() as connection:
        rows = connection.execute(
            """
            SELECT feed.tenant_id, feed.id
              FROM runtime.feeds AS feed
              JOIN runtime.tenants AS tenant ON tenant.id = feed.tenant_id
             WHERE feed.status = 'active' AND alerted = '' AND fresh_within_hours IS NOT NULL
               AND tenant.status NOT IN ('suspended', 'archived') AND tenant.id <> ALL(%s)
               AND coalesce(changed_at, feed.created_at) + make_interval(hours => fresh_within_hours) < %s
             LIMIT %s
            """,
            (switched_off(connection, LINKS, now), now, FEEDS_AT_ONCE),
        ).fetchall()
    found = []
    for row in rows:
        tenant = TenantId(row["tenant_id"])
        try:
            with runtime.database.tenant(tenant) as connection:
                bound_waiting(connection)
                feed = lock_feed(connection, tenant, row["id"])
                if feed.status == "active" and not feed.alerted and is_stale(feed, now):
                    found.append(alert(connection, runtime, feed, "stale"))
        except Exception as error:
            _log.warning(
                "a stale feed is not noted yet: %s", type(error).__name__, extra={"fields": {"tenant": tenant}}
            )
    return found

"""How feeds are, and who has yet to be told: each change is told once, whoever or whatever brought it about."""

from __future__ import annotations

from dataclasses import dataclass

from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime


@dataclass(frozen=True)
class FeedHealth:
    """What ails a feed: "dead" or "stale", "failing", "held"; nothing where `ills` is empty. `error` is its last."""

    ills: str
    error: str

    @property
    def words(self) -> str:
        """What ails it, for a person to read."""
        return ": ".join(filter(None, [self.ills.replace(" ", ", "), self.error if "failing" in self.ills else ""]))


def untold_feeds(runtime: Runtime, limit: int) -> list[tuple[TenantId, str]]:
    """Feeds of all tenants of which it was not told how they are now: nobody knows that of one that was never asked."""
    with runtime.database.platform() as connection:
        rows = connection.execute(
            """
            SELECT tenant_id, id FROM runtime.feeds
             WHERE health IS DISTINCT FROM told_health
               AND (checked_at IS NOT NULL OR health <> '' OR told_health IS NOT NULL)
             ORDER BY tenant_id, id LIMIT %s
            """,
            (limit,),
        ).fetchall()
    return [(TenantId(row["tenant_id"]), row["id"]) for row in rows]


def health_of(runtime: Runtime, tenant: TenantId, feed: str) -> FeedHealth:
    """How a feed is now. Raises NotFoundError when the tenant has none of that id."""
    with runtime.database.tenant(tenant) as connection:
        row = connection.execute(
            "SELECT health, error FROM runtime.feeds WHERE tenant_id = %s AND id = %s", (tenant, feed)
        ).fetchone()
    if row is None:
        raise NotFoundError(f"There is no feed {feed}", where=tenant, remedy="`tenant-pipeline feed list` shows them.")
    return FeedHealth(row["health"], row["error"])


def note_told(runtime: Runtime, tenant: TenantId, feed: str, told: FeedHealth | None) -> None:
    """Note what was told of a feed; None where it has to be told again, whatever it is."""
    with runtime.database.tenant(tenant) as connection:
        connection.execute(
            "UPDATE runtime.feeds SET told_health = %s WHERE tenant_id = %s AND id = %s",
            (told.ills if told else None, tenant, feed),
        )

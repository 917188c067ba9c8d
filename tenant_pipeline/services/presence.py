"""Who is where in a tenant's shared document, as the server processes tell each other. It is kept for a moment only."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tenant_pipeline.core.shared_state import Presence
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.shared_state import sign_of

MOVED = "workspace_moved"
"""The channel on which it is notified that somebody moved: the document's sign, and the server process that says so."""

FRESH_SECONDS = 40
"""Who has not been heard of for so long is gone; a window says every fifteen seconds that it is there."""


def note_presence(runtime: Runtime, tenant: TenantId, server: str, states: Iterable[Presence]) -> None:
    """Tell the other processes where the windows at this one are. A window that has come to another one stays there."""
    with runtime.database.tenant(tenant) as connection:
        with connection.cursor() as cursor:
            cursor.executemany(
                """
                INSERT INTO runtime.workspace_presence AS kept (tenant_id, browser_window, clock, state, server)
                VALUES (%s, %s, %s, %s, %s)
                ON CONFLICT (tenant_id, browser_window) DO UPDATE
                   SET clock = excluded.clock, state = excluded.state, server = excluded.server, at = excluded.at
                 WHERE excluded.clock >= kept.clock AND (excluded.state IS NOT NULL OR excluded.server = kept.server)
                """,
                [
                    (tenant, each.client, each.clock, None if each.state is None else json.dumps(each.state), server)
                    for each in sorted(states, key=lambda each: each.client)  # one order: none waits
                ],
            )
        connection.execute("SELECT pg_notify(%s, %s)", (MOVED, f"{sign_of(runtime.database, tenant)} {server}"))


def presence_elsewhere(runtime: Runtime, tenant: TenantId, server: str) -> list[Presence]:
    """The windows at the other server processes, and those that have just gone from them."""
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            """
            SELECT browser_window, clock, state FROM runtime.workspace_presence
             WHERE tenant_id = %s AND server <> %s AND at > now() - make_interval(secs => %s)
            """,
            (tenant, server, FRESH_SECONDS),
        ).fetchall()
    return [Presence(row["browser_window"], row["clock"], row["state"] and json.loads(row["state"])) for row in rows]


def forget_presence(runtime: Runtime) -> None:
    """Throw away who was where a minute ago and more."""
    with runtime.database.platform() as connection:
        connection.execute("DELETE FROM runtime.workspace_presence WHERE at < now() - interval '1 minute'")

"""The live log of a tenant: its audit log, read as it grows.

Its sequence is allocated under the tenant's lock, so that the order of numbers is the order of commits, without a gap:
who has seen number n has seen all before it. PostgreSQL's NOTIFY says only that something has grown somewhere.
"""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.rows import row_as_json
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime

MOST_AT_ONCE = 200


def newest_number(runtime: Runtime, tenant: TenantId) -> int:
    """The number of the tenant's newest entry; 0 without any."""
    with runtime.database.tenant(tenant) as connection:
        row = connection.execute(
            "SELECT max(sequence) AS newest FROM runtime.audit_log WHERE tenant_id = %s", (tenant,)
        ).fetchone()
    return int(row["newest"] or 0) if row else 0


def entries_after(runtime: Runtime, tenant: TenantId, number: int) -> list[dict[str, Any]]:
    """The entries that follow on `number`, in order, at most MOST_AT_ONCE."""
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            """
            SELECT sequence, at, actor, action, subject, details FROM runtime.audit_log
             WHERE tenant_id = %s AND sequence > %s ORDER BY sequence LIMIT %s
            """,
            (tenant, number, MOST_AT_ONCE),
        ).fetchall()
    return [row_as_json(row) for row in rows]

"""Reading and checking the audit log, and sealing it with checkpoints outside the database."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.runtime import Runtime


@dataclass(frozen=True)
class AuditFilter:
    """Which entries are wanted; what is left empty narrows nothing.

    `action` is one action or the family before its dot: `approval` is every `approval.…`. `subject` is one subject or a
    source with all of its stages. `since` belongs to the time that is asked for, `until` no longer does.
    """

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class AuditPage:
    """Entries, the newest first; `next` is the number to go on before, None where there are no more."""

    entries: list[dict[str, Any]]
    next: int | None


def read_audit(
    runtime: Runtime, tenant: TenantId, wanted: AuditFilter, *, limit: int, before: int | None = None
) -> AuditPage:
    """A page of the tenant's audit log, read as that tenant: at most `limit` entries with numbers under `before`."""
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            """
            SELECT sequence, at, actor, action, subject, details FROM runtime.audit_log
             WHERE tenant_id = %(tenant)s
               AND (%(before)s::bigint IS NULL OR sequence < %(before)s)
               AND (%(actor)s::text IS NULL OR actor = %(actor)s)
               AND (%(action)s::text IS NULL OR action = %(action)s OR starts_with(action, %(action)s || '.'))
               AND (%(subject)s::text IS NULL OR subject = %(subject)s OR starts_with(subject, %(subject)s || ':'))
               AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
               AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
             ORDER BY sequence DESC LIMIT %(limit)s
            """,
            {**asdict(wanted), "tenant": tenant, "before": before, "limit": limit + 1},
        ).fetchall()
    entries = [registry.as_json(row) for row in rows[:limit]]
    return AuditPage(entries, entries[-1]["sequence"] if len(rows) > limit else None)


def seal_audit(runtime: Runtime, tenant: TenantId) -> None:
    """Write a signed checkpoint over the tenant's audit log as it stands."""
    with runtime.database.tenant(tenant) as connection:
        runtime.audit.checkpoint(connection, tenant, runtime.now())


def verify_audit(runtime: Runtime, tenant: TenantId | None) -> list[dict[str, Any]]:
    """What checking the audit log of one tenant, or of all, has found: a row a tenant."""
    tenants = [tenant] if tenant else [TenantId(row["id"]) for row in registry.list_tenants(runtime)]
    rows = []
    for each in tenants:
        with runtime.database.tenant(each) as connection:
            report = runtime.audit.verify(connection, each)
        rows.append(
            {
                "tenant": each,
                "intact": report.intact,
                "entries": report.entries,
                "checkpoints": report.checkpoints,
                "problem": report.problem,
            }
        )
    return rows

"""Reading and checking the audit log, and sealing it with checkpoints outside the database."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from tenant_pipeline.core.rows import row_as_json
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


_AFTER_TIME = """(at, sequence) < (
    SELECT at, sequence FROM runtime.audit_log WHERE tenant_id = %(tenant)s AND sequence = %(before)s)"""


def _one_or_family(column: str, mark: str) -> str:
    """The condition that a column is what is asked for, or that, `mark` and more behind: a stretch of an index."""
    following = chr(ord(mark) + 1)
    name = f'{column} COLLATE "C"'
    return (
        f"({name} = %({column})s"
        f" OR ({name} >= %({column})s::text || '{mark}' AND {name} < %({column})s::text || '{following}'))"
    )


@dataclass(frozen=True)
class AuditPage:
    """Entries, the newest first; `next` is the number to go on before, None where there are no more."""

    entries: list[dict[str, Any]]
    next: int | None


_NARROWED = {
    "actor": "actor = %(actor)s",
    "action": _one_or_family("action", "."),
    "subject": _one_or_family("subject", ":"),
    "since": "at >= %(since)s",
    "until": "at < %(until)s",
}


def read_audit(
    runtime: Runtime, tenant: TenantId, wanted: AuditFilter, *, limit: int, before: int | None = None
) -> AuditPage:
    """A page of the tenant's audit log, read as that tenant: at most `limit` entries that come after that of number
    `before`.

    They are in the order of the chain; of a stretch of time, in that of their times, which differs where a clock was
    set back. Each condition is said only where it is asked for, so that an index answers it.
    """
    asked = {name: value for name, value in asdict(wanted).items() if value is not None}
    by_time = not asked.keys().isdisjoint(("since", "until"))
    conditions = ["tenant_id = %(tenant)s", *(_NARROWED[name] for name in asked)]
    if before is not None:
        conditions.append(_AFTER_TIME if by_time else "sequence < %(before)s")
    query = (
        f"SELECT sequence, at, actor, action, subject, details FROM runtime.audit_log WHERE {' AND '.join(conditions)}"
        f" ORDER BY {'at DESC, ' if by_time else ''}sequence DESC LIMIT %(limit)s"
    )
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            query.encode(), {**asked, "tenant": tenant, "before": before, "limit": limit + 1}
        ).fetchall()
    entries = [row_as_json(row) for row in rows[:limit]]
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

"""A source that ought not to be there, taken out: what it said is retired, and nothing of it is deleted.

Published releases stay as they are; the next one is without it. Its files, the records of its stages and what was
signed because of it stay as history.
"""

from __future__ import annotations

from psycopg.types.json import Jsonb

from tenant_pipeline.core.persons import require_person_and_reason
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.conflicts.matrix import compare_source
from tenant_pipeline.services.entity_index import lock_identity
from tenant_pipeline.services.feeds.feeds import end_feed_of
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source, get_source
from tenant_pipeline.services.tenant_state import require_in_service
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.storage.retire import retire_statements
from tenant_pipeline.telemetry.traces import traced

WITHDRAWING_ROLES = ("tenant-admin", "platform-governance")

_WITHDRAW = """
UPDATE runtime.tenant_sources
   SET ingest_status = 'withdrawn', withdrawal = %(withdrawal)s, coverage_score = NULL, hindrance = NULL,
       not_before = NULL, alone = false, outages = 0, losses = 0
 WHERE tenant_id = %(tenant)s AND id = %(source)s
"""


@traced("source.withdraw")
def withdraw_source(
    runtime: Runtime, tenant: TenantId, source: SourceId, *, person: str, role: str, reason: str
) -> Source:
    """Take a source out of the tenant's draft knowledge base, of its coverage, and of every line and run, for good.

    What it said is retired, and what it spoke of is compared anew: signatures on what it took part in are void. A feed
    that brings it ends. All in one transaction: killed, nothing has changed. One that was withdrawn already stays so,
    with the first reason. Audited.

    Raises NotFoundError for no such source, InputError for no person or reason, StateForbidsError out of service.
    """
    require_person_and_reason(
        person, reason, "A source is withdrawn by a person, for a reason", where="--reason", remedy="Say why."
    )
    with runtime.database.tenant(tenant) as connection:
        require_in_service(connection, tenant)
        # Locks in the order in which others take them: of linking, the feed, of the conflicts, the sources, of the log.
        lock_identity(connection, tenant)
        before = get_source(connection, tenant, source)
        if before.is_withdrawn:
            return before
        at = runtime.now()
        ended = end_feed_of(connection, tenant, source, actor=person)
        retired = retire_statements(connection, tenant, source, at)
        _forget_standings(connection, tenant)
        compared = compare_source(connection, tenant, source, runtime.contracts)
        withdrawal = {"at": at.isoformat(), "person": person, "role": role, "reason": reason}
        connection.execute(_WITHDRAW, {"tenant": tenant, "source": source, "withdrawal": Jsonb(withdrawal)})
        details = {
            "role": role, "reason": reason, "was": before.ingest_status, "retired": retired,
            "stale": compared.kept.stale, "voided_signatures": compared.kept.voided,
        }  # fmt: skip
        entry = AuditEntry(actor=person, action="source.withdraw", subject=source, details=details)
        runtime.audit.append(connection, tenant, [entry, *ended])
        return get_source(connection, tenant, source)


def _forget_standings(connection: Connection, tenant: TenantId) -> None:
    """Have what the tenant's sources are worth estimated anew: it rests on what this one said, too."""
    connection.execute("UPDATE runtime.source_standings SET up_to = '-infinity' WHERE tenant_id = %s", (tenant,))

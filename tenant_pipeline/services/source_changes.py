"""What was said of a source when it was handed in, put right: its title, its rights, as of when its facts hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.keys import DigestKey
from tenant_pipeline.core.pseudonym import keyed_digest
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source, get_source, lock_source, require_observable
from tenant_pipeline.services.tenant_state import require_in_service
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

CHANGEABLE = ("title", "rights", "observed_at")
"""What can be changed of a source. Its origin cannot: it says how far the source is trusted."""

_CHANGE = """
UPDATE runtime.tenant_sources
   SET title = %(title)s, rights = %(rights)s, observed_at = %(observed_at)s,
       redeclared = redeclared + %(rights_changed)s::int, redated = redated + %(date_changed)s::int,
       ingest_status = CASE WHEN %(judge_anew)s AND ingest_status = 'assembled' THEN 'waiting' ELSE ingest_status END,
       queued_at = CASE WHEN %(judge_anew)s AND ingest_status = 'assembled' THEN clock_timestamp() ELSE queued_at END
 WHERE tenant_id = %(tenant)s AND id = %(source)s
"""


def change_source(
    runtime: Runtime, tenant: TenantId, source: SourceId, changes: Mapping[str, Any], *, actor: str
) -> Source:
    """Change some of what `CHANGEABLE` names. A source that is assembled is in line again where rights or date changed.

    Its statements stay as they are: the coverage is scored anew, and with another date its conflicts are compared anew.
    What is published keeps what it says. The same again changes nothing. Audited: what was changed, the dates from what
    to what, and of the texts, which can be erased, digests under the tenant's key, which then is destroyed.

    Raises NotFoundError for no such source, StateForbidsError out of service, and InputError for what cannot be
    changed, for no title, for a date that has no zone or is still to come, and for the source of a feed that has not
    ended.
    """
    if unknown := sorted(set(changes) - set(CHANGEABLE)):
        raise InputError(
            f"That cannot be changed: {', '.join(unknown)}", where=source, remedy="Hand it in anew, as what it is."
        )
    with runtime.database.tenant(tenant) as connection:
        require_in_service(connection, tenant)
        feed = connection.execute(
            "SELECT id FROM runtime.feeds WHERE tenant_id = %s AND source_id = %s AND status <> 'ended'",
            (tenant, source),
        ).fetchone()
        if feed is not None:
            raise InputError(
                "A feed brings this source, and says this of it",
                where=f"{source}, {feed['id']}",
                remedy="Change the feed: `tenant-pipeline feed change`.",
            )
        return put_right(connection, runtime, tenant, source, changes, actor=actor)


def put_right(
    connection: Connection,
    runtime: Runtime,
    tenant: TenantId,
    source: SourceId,
    changes: Mapping[str, Any],
    *,
    actor: str,
) -> Source:
    """As `change_source`, in the caller's transaction and whoever brings the source."""
    before = lock_source(connection, tenant, source)
    after = {name: changes.get(name, getattr(before, name)) for name in CHANGEABLE}
    if not after["title"].strip():
        raise InputError("A source needs a title", where="--title")
    changed = [name for name in CHANGEABLE if getattr(before, name) != after[name]]
    if not changed:
        return before
    if "observed_at" in changed:
        require_observable(runtime, after["observed_at"])
    connection.execute(
        _CHANGE,
        {
            **after,
            "tenant": tenant,
            "source": source,
            "rights_changed": "rights" in changed,
            "date_changed": "observed_at" in changed,
            "judge_anew": changed != ["title"],
        },
    )
    key = runtime.keys.digest_key(tenant)
    details = {"changed": changed} | {
        name: [_told(name, value, key) for value in (getattr(before, name), after[name])] for name in changed
    }
    entry = AuditEntry(actor=actor, action="source.change", subject=source, details=details)
    runtime.audit.append(connection, tenant, [entry])
    return get_source(connection, tenant, source)


def _told(name: str, value: str | datetime | None, key: DigestKey) -> str | None:
    """A value as the audit log may keep it: nothing is ever erased from there."""
    if isinstance(value, str):
        return keyed_digest(name, value, key) if value else ""
    return value.isoformat() if value else None

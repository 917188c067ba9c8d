"""Whether all of a draft was judged: what was not may contradict itself or lack rights, and nobody would be asked."""

from __future__ import annotations

from collections.abc import Set

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.releases.checks import ReleaseRefusedError
from tenant_pipeline.services.unjudged import unjudged_in_draft
from tenant_pipeline.storage.database import Connection

_NAMED = 5

_EMPTIED = """
SELECT DISTINCT member.source_id
  FROM runtime.conflicts AS conflict JOIN runtime.conflict_sources AS member USING (tenant_id, conflict_id)
 WHERE conflict.tenant_id = %(tenant)s AND conflict.candidates_digest = '' AND conflict.status <> 'stale'
   AND member.relation <> 'withdrawn'
"""


def require_judged(connection: Connection, tenant: TenantId) -> None:
    """Return when every source in the draft was compared with the others and scored as it stands there, its entities
    included.

    Raises ReleaseRefusedError naming those that were not: just assembled, stopped at a judgement, or touched by a link
    judgement or given another date or other rights since. By whatever code: a new version of the rules judges anew when
    the source runs again.
    """
    unjudged = unjudged_in_draft(connection, tenant)
    emptied = {row["source_id"] for row in connection.execute(_EMPTIED, {"tenant": tenant})}
    _require_none(emptied | {each.source for each in unjudged if each.to_compare}, "compared with the others", tenant)
    _require_none({each.source for each in unjudged if each.to_score}, "scored as they are now", tenant)


def _require_none(sources: Set[str], what: str, tenant: TenantId) -> None:
    if not sources:
        return
    waiting = sorted(sources)
    more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
    raise ReleaseRefusedError(
        f"{len(waiting)} sources have yet to be {what}: {', '.join(waiting[:_NAMED])}{more}",
        where=tenant,
        remedy=(
            "Let them run through (`tenant-pipeline run`), or see why they stopped (`tenant-pipeline stages`); one that"
            " cannot go on can be withdrawn (`tenant-pipeline source withdraw`)."
        ),
    )

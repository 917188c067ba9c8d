"""Whether all of a draft was compared: what was not may contradict itself, and nobody would be asked."""

from __future__ import annotations

from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.code_version import CONFLICT_MATRIX
from tenant_pipeline.services.identity import with_identity
from tenant_pipeline.services.releases.checks import ReleaseRefusedError
from tenant_pipeline.services.stage_records import Connection

_NAMED = 5

# The last record of `assemble` tells what of a source stands in the draft.
_STANDING = """
SELECT source.id, source.identity_version, source.redated, last.output_digest
  FROM runtime.tenant_sources AS source
 CROSS JOIN LATERAL (
       SELECT output_digest FROM runtime.stage_runs
        WHERE tenant_id = (SELECT %(tenant)s::text) AND source_id = source.id AND stage = %(assemble)s
        ORDER BY finished_at DESC, code_version DESC LIMIT 1) AS last
 WHERE source.tenant_id = %(tenant)s AND source.ingest_status <> 'withdrawn'
"""

# By whatever code: a new version of the rules compares anew when the source runs again.
_NOT_COMPARED = """
SELECT standing.source_id
  FROM unnest(%(sources)s::text[], %(digests)s::text[]) AS standing (source_id, digest)
 WHERE NOT EXISTS (SELECT FROM runtime.stage_runs AS run
                    WHERE run.tenant_id = (SELECT %(tenant)s::text) AND run.source_id = standing.source_id
                      AND run.stage = %(conflict_matrix)s AND run.input_digest = standing.digest)
 UNION
SELECT member.source_id
  FROM runtime.conflicts AS conflict JOIN runtime.conflict_sources AS member USING (tenant_id, conflict_id)
 WHERE conflict.tenant_id = %(tenant)s AND conflict.candidates_digest = '' AND conflict.status <> 'stale'
   AND member.relation <> 'withdrawn'
 ORDER BY source_id
"""


def require_compared(connection: Connection, tenant: TenantId) -> None:
    """Return when every source in the draft was compared with the others as it stands there, its entities included.

    Raises ReleaseRefusedError naming those that were not: just assembled, stopped at the conflict matrix, or touched by
    a link judgement or given another date since.
    """
    standing = connection.execute(_STANDING, {"tenant": tenant, "assemble": Stage.ASSEMBLE}).fetchall()
    parameters = {
        "tenant": tenant,
        "sources": [row["id"] for row in standing],
        "digests": [with_identity(row["output_digest"], row["identity_version"], row["redated"]) for row in standing],
        "conflict_matrix": CONFLICT_MATRIX,
    }
    waiting = [row["source_id"] for row in connection.execute(_NOT_COMPARED, parameters)]
    if waiting:
        more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
        raise ReleaseRefusedError(
            f"{len(waiting)} sources have yet to be compared with the others: {', '.join(waiting[:_NAMED])}{more}",
            where=tenant,
            remedy="Let them run through (`tenant-pipeline run`), or see why they stopped (`tenant-pipeline stages`).",
        )

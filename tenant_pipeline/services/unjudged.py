"""Assembled sources of which nobody has judged what stands: it was not compared with the others, or not scored.

Told by digests and not by times: a judgement that is found again keeps no new record.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.identity import with_identity, with_rights
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.stage_records import Connection

_JUDGED = """
SELECT source.tenant_id, source.id, source.identity_version, source.redated, source.redeclared,
       assembled.output_digest AS assembled, compared.input_digest AS compared, scored.input_digest AS scored
  FROM runtime.tenant_sources AS source
 CROSS JOIN LATERAL (
       SELECT output_digest FROM runtime.stage_runs AS run
        WHERE run.tenant_id = source.tenant_id AND run.source_id = source.id AND run.stage = 'assemble'
        ORDER BY finished_at DESC LIMIT 1) AS assembled
  LEFT JOIN LATERAL (
       SELECT input_digest FROM runtime.stage_runs AS run
        WHERE run.tenant_id = source.tenant_id AND run.source_id = source.id AND run.stage = 'conflict_matrix'
        ORDER BY finished_at DESC LIMIT 1) AS compared ON true
  LEFT JOIN LATERAL (
       SELECT input_digest FROM runtime.stage_runs AS run
        WHERE run.tenant_id = source.tenant_id AND run.source_id = source.id AND run.stage = 'coverage_score'
        ORDER BY finished_at DESC LIMIT 1) AS scored ON true
 WHERE source.ingest_status = 'assembled'
"""

_QUIET = """
   AND source.queued_at < clock_timestamp() - %(quiet_for)s
   AND NOT EXISTS (SELECT FROM runtime.stage_runs AS run
                    WHERE run.tenant_id = source.tenant_id AND run.source_id = source.id
                      AND run.finished_at >= clock_timestamp() - %(quiet_for)s)
   -- Of what was never merged, redated or redeclared the digest is that of what was assembled.
   AND (source.identity_version + source.redated + source.redeclared > 0
        OR (compared.input_digest, scored.input_digest)
           IS DISTINCT FROM (assembled.output_digest, assembled.output_digest))
 ORDER BY source.tenant_id, source.id
"""


def unjudged_sources(runtime: Runtime, quiet_for: timedelta) -> list[tuple[TenantId, SourceId]]:
    """Those of all tenants that were neither put in line nor made a step for so long.

    It looks at every source that is assembled: not for each tick.
    """
    with runtime.database.platform() as connection:
        rows = connection.execute(_JUDGED + _QUIET, {"quiet_for": quiet_for}).fetchall()
    return [(TenantId(row["tenant_id"]), SourceId(row["id"])) for row in rows if _is_unjudged(row)]


def is_unjudged(connection: Connection, tenant: TenantId, source: SourceId) -> bool:
    """Whether a source is assembled and has yet to be judged as it is now."""
    row = connection.execute(
        _JUDGED + " AND source.tenant_id = %(tenant)s AND source.id = %(source)s", {"tenant": tenant, "source": source}
    ).fetchone()
    return row is not None and _is_unjudged(row)


def _is_unjudged(row: Mapping[str, Any]) -> bool:
    said = with_identity(row["assembled"], row["identity_version"], row["redated"])
    return (row["compared"], row["scored"]) != (said, with_rights(said, row["redeclared"]))

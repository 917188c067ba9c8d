"""Timeliness lessens by a day each day, whatever else happens: it is worked out when it is read, and not kept."""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime

TIMELINESS = "timeliness"

DAYS_LEFT = f"""
SELECT score.source_id,
       CASE WHEN source.observed_at IS NOT NULL
            THEN least(%(period)s, greatest(0, %(period)s - floor(
                     extract(epoch FROM %(now)s::timestamptz - source.observed_at) / 86400)))::bigint
       END AS days_left
  FROM runtime.coverage_scores AS score
  JOIN runtime.tenant_sources AS source
    ON source.tenant_id = score.tenant_id AND source.id = score.source_id AND source.ingest_status <> 'withdrawn'
 WHERE score.tenant_id = %(tenant)s AND score.dimension = '{TIMELINESS}'
"""
"""For queries with the parameters of `as_of_now`: the scored sources of a tenant with the days that each stays fresh;
null where nobody said when it was observed."""


def as_of_now(runtime: Runtime, tenant: TenantId) -> dict[str, Any]:
    """The parameters of DAYS_LEFT."""
    return {"tenant": tenant, "period": runtime.contracts.fresh_within_days, "now": runtime.now()}

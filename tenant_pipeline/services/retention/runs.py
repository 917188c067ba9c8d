"""Which Dagster runs still say something: those that made what stands now, and those of tenants under a legal hold."""

from __future__ import annotations

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime

# Of each stage of a source the newest record: what is older has been made anew by another run. Of an erased tenant
# nothing stands.
_RUNS = """
SELECT DISTINCT run_id
  FROM (SELECT DISTINCT ON (tenant_id, source_id, stage) tenant_id, run_id FROM runtime.stage_runs
         ORDER BY tenant_id, source_id, stage, finished_at DESC) AS newest
 WHERE run_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM runtime.erasure_steps AS begun
                    WHERE begun.tenant_id = newest.tenant_id AND begun.step = 'keys')
"""
_HELD = """
SELECT DISTINCT hold.tenant_id FROM runtime.legal_holds AS hold
 WHERE NOT EXISTS (SELECT FROM runtime.legal_hold_ends AS ended
                    WHERE ended.tenant_id = hold.tenant_id AND ended.hold_id = hold.id)
"""


def needed_runs(runtime: Runtime) -> tuple[frozenset[str], frozenset[TenantId]]:
    """Runs that made what stands now, and tenants none of whose runs may be deleted."""
    with runtime.database.platform() as connection:
        runs = frozenset(row["run_id"] for row in connection.execute(_RUNS))
        held = frozenset(TenantId(row["tenant_id"]) for row in connection.execute(_HELD))
    return runs, held

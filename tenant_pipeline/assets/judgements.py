"""What a source is worth and what it disputes: the conflict matrix and the coverage score, kept up source by source."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from tenant_pipeline.assets.materialise import materialise
from tenant_pipeline.assets.partitions import many_sources_a_run, no_value, tenant_source_partitions
from tenant_pipeline.assets.stage_metadata import conflict_metadata, coverage_metadata
from tenant_pipeline.core.errors import SourceStoppedError
from tenant_pipeline.core.tenancy import SourceId, TenantId, from_partition_key
from tenant_pipeline.resources.runtime import RuntimeResource, contracts_in_force
from tenant_pipeline.services.audit_trail import seal_audit
from tenant_pipeline.services.code_version import CONFLICT_MATRIX, COVERAGE_SCORE, code_version
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.halts import halting


@dg.asset(
    name=CONFLICT_MATRIX,
    deps=[dg.AssetKey("assemble")],
    partitions_def=tenant_source_partitions,
    backfill_policy=many_sources_a_run,
    code_version=code_version(CONFLICT_MATRIX, contracts_in_force()),
    group_name="judgements",
    owners=["team:data-governance"],
    kinds={"python", "postgres"},
    dagster_type=no_value,
    output_required=False,
)
def conflict_matrix(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> Iterator[dg.Output[None]]:
    """Where this source and the tenant's others say different things of the same thing: the values side by side,
    the rule that compared them, and the value that the authority rules propose until somebody signs."""
    opened = runtime.open()

    def work(tenant: TenantId, source: SourceId) -> dict[str, Any]:
        with halting(opened, tenant, source, CONFLICT_MATRIX, run_id=context.run_id, but=(SourceStoppedError,)):
            record = update_conflicts(opened, tenant, source, run_id=context.run_id)
        runtime.tell(tenant, source, record)
        return conflict_metadata(opened, runtime.source_of_run(context.run_id, tenant, source), record)

    yield from materialise(context, opened, work)


@dg.asset(
    name=COVERAGE_SCORE,
    deps=[conflict_matrix],
    partitions_def=tenant_source_partitions,
    backfill_policy=many_sources_a_run,
    code_version=code_version(COVERAGE_SCORE, contracts_in_force()),
    group_name="judgements",
    owners=["team:data-governance"],
    kinds={"python", "postgres"},
    dagster_type=no_value,
    output_required=False,
)
def coverage_score(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> Iterator[dg.Output[None]]:
    """How well this source covers what the contract asks for: a score and a band per dimension, each with its
    numerator, denominator and reason. The overall band is the worst blocking dimension, never an average."""
    opened = runtime.open()

    def work(tenant: TenantId, source: SourceId) -> dict[str, Any]:
        with halting(opened, tenant, source, COVERAGE_SCORE, run_id=context.run_id, but=(SourceStoppedError,)):
            record = update_coverage(opened, tenant, source, run_id=context.run_id)
        runtime.tell(tenant, source, record)
        return coverage_metadata(opened, runtime.source_of_run(context.run_id, tenant, source), record)

    yield from materialise(context, opened, work)
    for tenant in sorted({from_partition_key(key)[0] for key in context.partition_keys}):
        seal_audit(opened, tenant)


judgement_assets = [conflict_matrix, coverage_score]

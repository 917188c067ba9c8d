"""From draft to live: the release, the running instance and the listing of a tenant, each behind its approvals.

Sensors start these when the approvals are there. Started by hand without them, an asset fails with the list of what is
missing: it looks for itself, in the transaction that does the work.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import dagster as dg

from tenant_pipeline.assets.judgements import conflict_matrix, coverage_score
from tenant_pipeline.assets.materialise import ENDED_BY_TAG
from tenant_pipeline.assets.partitions import no_value, tenant_partitions
from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.errors import OutageError, StageFaultError
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.services.audit_trail import seal_audit
from tenant_pipeline.services.faults import in_our_words
from tenant_pipeline.services.going_live.instances import provision_approved
from tenant_pipeline.services.going_live.listings import list_approved
from tenant_pipeline.services.going_live.releases import publish_approved
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.telemetry.traces import runs

RELEASES = "release_knowledge_base"
PROVISIONING = "provision_tenant"
LISTINGS = "list_in_marketplace"
OPERATIONS_OF_JOB: Mapping[str, tuple[Operation, ...]] = {
    RELEASES: (Operation.RELEASE, Operation.ROLLBACK),
    PROVISIONING: (Operation.INSTANCE,),
    LISTINGS: (Operation.LISTING,),
}
DIGEST_TAG = "approved_digest"
APPROVALS_TAG = "approvals"
OUTAGES_TAG, LOSSES_TAG = "tenant_runtime/outages", "tenant_runtime/losses"
"""How often runs over the same approvals were set back before this one: see `core.setback`."""

_every_source = dg.AllPartitionMapping()


@dg.asset(
    deps=[
        dg.AssetDep(conflict_matrix, partition_mapping=_every_source),
        dg.AssetDep(coverage_score, partition_mapping=_every_source),
    ],
    partitions_def=tenant_partitions,
    group_name="going_live",
    owners=["team:data-governance"],
    kinds={"python", "postgres"},
    dagster_type=no_value,
)
def knowledge_base_release(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> dg.MaterializeResult[None]:
    """The tenant's knowledge base as its readers see it: an immutable release, published whole or not at all, or an
    earlier one gone back to."""
    approved = context.run.tags.get(DIGEST_TAG)
    return _work(context, runtime.open(), partial(publish_approved, digest=approved))


@dg.asset(
    deps=[knowledge_base_release],
    partitions_def=tenant_partitions,
    group_name="going_live",
    owners=["team:platform"],
    kinds={"python", "kubernetes"},
    dagster_type=no_value,
)
def tenant_provisioning(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> dg.MaterializeResult[None]:
    """The tenant's running instance: role, schema, grants, namespace, processes, probed for isolation before it
    counts. What fails is taken back to nothing."""
    return _work(context, runtime.open(), provision_approved)


@dg.asset(
    deps=[tenant_provisioning],
    partitions_def=tenant_partitions,
    group_name="going_live",
    owners=["team:data-governance"],
    kinds={"python", "postgres"},
    dagster_type=no_value,
)
def marketplace_listing(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> dg.MaterializeResult[None]:
    """What others may know of the tenant's live release: a read-only listing, under the contract's rules."""
    return _work(context, runtime.open(), list_approved)


going_live_assets = [knowledge_base_release, tenant_provisioning, marketplace_listing]


def _work(
    context: dg.AssetExecutionContext, runtime: Runtime, work: Callable[..., dict[str, Any]]
) -> dg.MaterializeResult[None]:
    """Do what was approved. What refuses it, or was away, fails the run in our words; of a bug the trace is kept."""
    tenant, asset = tenant_id(context.partition_key), context.asset_key.to_user_string()
    try:
        with ExitStack() as afterwards:
            afterwards.callback(seal_audit, runtime, tenant)
            with runs.step(context.run_id, asset):
                done = work(runtime, tenant, run_by=f"dagster-run:{context.run_id}")
    except Exception as error:
        told = in_our_words(error, where=f"{tenant}, {asset}", run_id=context.run_id)
        if isinstance(told, StageFaultError):
            raise
        metadata = {"code": told.code, "where": told.where, "remedy": told.remedy}
        if isinstance(told, OutageError):
            metadata["away"] = told.what
            with suppress(Exception):  # it is for the figures alone
                context.instance.add_run_tags(context.run_id, {ENDED_BY_TAG: "outage"})
        raise dg.Failure(str(told), metadata=metadata, allow_retries=False) from None
    return dg.MaterializeResult(metadata={key: _metadata(value) for key, value in done.items()})


def _metadata(value: Any) -> Any:
    return dg.MetadataValue.json(value) if isinstance(value, dict | list) else value

"""How each feed is, as evaluations of its asset check: one for each change, without a run.

Dagster keeps an evaluation that belongs to no run once a partition, for good: its index is over check, run and
partition, and "no run" is a run like any other there. So each evaluation goes in under a name of its own in the place
of a run's id; to Dagster that is an evaluation whose run was deleted.
"""

from __future__ import annotations

import uuid
import warnings

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.instance.utils import RUNLESS_JOB_NAME

from tenant_pipeline.assets.feed_partitions import feed_key
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.feeds.health import FeedHealth, health_of, note_told
from tenant_pipeline.services.runtime import Runtime

# Checks per partition are in preview in Dagster.
warnings.filterwarnings("ignore", category=dg.PreviewWarning, message=".*AssetCheckSpec.*")

FEED_VERSION = dg.AssetKey("feed_version")
FEED_IS_WELL = "feed_is_well"


def evaluation(instance: dg.DagsterInstance, key: str, health: FeedHealth) -> dg.AssetCheckEvaluation:
    """The check of a feed as it is, over its newest version: Dagster takes one over an older version for none."""
    found = instance.fetch_materializations(dg.AssetRecordsFilter(FEED_VERSION, asset_partitions=[key]), limit=1)
    newest = next(iter(found.records), None)
    return dg.AssetCheckEvaluation(
        asset_key=FEED_VERSION,
        check_name=FEED_IS_WELL,
        passed=not health.ills,
        severity=dg.AssetCheckSeverity.WARN,
        partition=key,
        description=health.words,
        target_materialization_data=newest
        and AssetCheckEvaluationTargetMaterializationData(
            storage_id=newest.storage_id, run_id=newest.run_id, timestamp=newest.timestamp
        ),
    )


def tell_health(runtime: Runtime, instance: dg.DagsterInstance, tenant: TenantId, feed: str) -> None:
    """Let Dagster know how a feed is. Killed before that was noted, it is told once more."""
    health = health_of(runtime, tenant, feed)
    event = DagsterEvent(
        event_type_value=DagsterEventType.ASSET_CHECK_EVALUATION.value,
        event_specific_data=evaluation(instance, feed_key(tenant, feed), health),
        job_name=RUNLESS_JOB_NAME,
    )
    instance.report_dagster_event(event, run_id=f"{FEED_IS_WELL}-{uuid.uuid4().hex}")
    note_told(runtime, tenant, feed, health)

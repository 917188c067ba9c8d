"""The Dagster code location: assets, checks, sensors and jobs, wired together."""

from __future__ import annotations

import dagster as dg

from tenant_pipeline.assets.feed_partitions import feed_partitions
from tenant_pipeline.assets.feeds import FETCH_FEED, feed_check, feed_version
from tenant_pipeline.assets.gate_checks import gate_checks
from tenant_pipeline.assets.going_live import LISTINGS, PROVISIONING, RELEASES, going_live_assets
from tenant_pipeline.assets.judgement_checks import judgement_checks
from tenant_pipeline.assets.judgements import judgement_assets
from tenant_pipeline.assets.normalisation import normalisation_assets
from tenant_pipeline.assets.partitions import tenant_partitions, tenant_source_partitions
from tenant_pipeline.resources.console import console
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors.approvals import approval_sensors
from tenant_pipeline.sensors.clock import budgets, clock
from tenant_pipeline.sensors.ended_runs import ended_runs, unjudged
from tenant_pipeline.sensors.feeds import feeds
from tenant_pipeline.sensors.retention import retention, retention_schedule
from tenant_pipeline.sensors.silent_runs import silent_runs
from tenant_pipeline.sensors.uploads import NORMALISE_SOURCES, uploads

normalise_sources = dg.define_asset_job(
    NORMALISE_SOURCES,
    selection=dg.AssetSelection.groups("normalisation", "judgements"),
    partitions_def=tenant_source_partitions,
    description="All nine stages, the conflict matrix and the coverage score, over one source or a range of them.",
)


def _tenant_job(name: str, asset: str, description: str) -> dg.UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        name,
        selection=dg.AssetSelection.assets(asset),
        partitions_def=tenant_partitions,
        description=description,
    )


going_live_jobs = [
    _tenant_job(RELEASES, "knowledge_base_release", "Publish the approved release of a tenant, or go back to one."),
    _tenant_job(PROVISIONING, "tenant_provisioning", "Bring up the approved instance of a tenant, and probe it."),
    _tenant_job(LISTINGS, "marketplace_listing", "Show the approved listing of a tenant."),
]

fetch_feed = dg.define_asset_job(
    FETCH_FEED,
    selection=dg.AssetSelection.assets("feed_version"),
    partitions_def=feed_partitions,
    description="Ask a feed that is too large or too slow to be asked in passing.",
)

defs = dg.Definitions(
    assets=[*normalisation_assets, *judgement_assets, *going_live_assets, feed_version],
    asset_checks=[*gate_checks, *judgement_checks, feed_check],
    jobs=[normalise_sources, *going_live_jobs, fetch_feed, retention],
    schedules=[retention_schedule],
    sensors=[feeds, uploads, *approval_sensors, clock, budgets, ended_runs, unjudged, silent_runs],
    resources={"runtime": RuntimeAccess()},
    loggers={"console": console},
    executor=dg.in_process_executor,
)

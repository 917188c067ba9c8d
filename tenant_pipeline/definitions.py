"""The Dagster code location: assets, checks, the sensor and the job, wired together."""

from __future__ import annotations

import dagster as dg

from tenant_pipeline.assets.gate_checks import gate_checks
from tenant_pipeline.assets.judgement_checks import judgement_checks
from tenant_pipeline.assets.judgements import judgement_assets
from tenant_pipeline.assets.normalisation import normalisation_assets
from tenant_pipeline.assets.partitions import tenant_source_partitions
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors.uploads import NORMALISE_SOURCES, uploads

normalise_sources = dg.define_asset_job(
    NORMALISE_SOURCES,
    selection=dg.AssetSelection.groups("normalisation", "judgements"),
    partitions_def=tenant_source_partitions,
    description="All nine stages, the conflict matrix and the coverage score, over one source or a range of them.",
)

defs = dg.Definitions(
    assets=[*normalisation_assets, *judgement_assets],
    asset_checks=[*gate_checks, *judgement_checks],
    jobs=[normalise_sources],
    sensors=[uploads],
    resources={"runtime": RuntimeAccess()},
    executor=dg.in_process_executor,
)

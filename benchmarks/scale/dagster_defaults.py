"""The same assets as a code location with Dagster's defaults: a process a step, and one partition a run."""

import dagster as dg

from tenant_pipeline.assets.judgements import judgement_assets
from tenant_pipeline.assets.normalisation import normalisation_assets
from tenant_pipeline.assets.partitions import tenant_source_partitions
from tenant_pipeline.resources.runtime import RuntimeAccess

DEFAULTS = "dagster_defaults"

defs = dg.Definitions(
    assets=[*normalisation_assets, *judgement_assets],
    jobs=[dg.define_asset_job(DEFAULTS, partitions_def=tenant_source_partitions)],
    resources={"runtime": RuntimeAccess()},
)

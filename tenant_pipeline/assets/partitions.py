"""How the work is cut: one partition a source, keyed `tenant|source`, in ranges of many sources a run."""

from __future__ import annotations

import warnings
from typing import Any

import dagster as dg

from tenant_pipeline.settings import Settings

# A backfill policy on an asset is beta in Dagster; there is no other way to run many sources at a time.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*backfill_policy.*")

TENANT_SOURCE = "tenant_source"

tenant_source_partitions = dg.DynamicPartitionsDefinition(name=TENANT_SOURCE)

many_sources_a_run = dg.BackfillPolicy.multi_run(max_partitions_per_run=Settings().sources_per_run)

no_value: Any = dg.Nothing
"""The type of an asset's output in Dagster: its data lies in our stores. (Dagster's stubs ask for a class here.)"""

TENANT = "tenant"

tenant_partitions = dg.DynamicPartitionsDefinition(name=TENANT)
"""What is done for a tenant as a whole: releases, its instance, its listing."""

"""How the work is cut: one partition a source, keyed `tenant|source`, in ranges of many sources a run."""

from __future__ import annotations

import dagster as dg

from tenant_pipeline.settings import Settings

TENANT_SOURCE = "tenant_source"

tenant_source_partitions = dg.DynamicPartitionsDefinition(name=TENANT_SOURCE)

many_sources_a_run = dg.BackfillPolicy.multi_run(max_partitions_per_run=Settings().sources_per_run)

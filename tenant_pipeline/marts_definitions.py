"""The Dagster code location of the governance marts."""

from __future__ import annotations

import dagster as dg

from tenant_pipeline.assets.marts import governance_marts
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors.marts import build_marts, marts_after_releases, marts_schedule

defs = dg.Definitions(
    assets=[governance_marts],
    jobs=[build_marts],
    schedules=[marts_schedule],
    sensors=[marts_after_releases],
    resources={"runtime": RuntimeAccess()},
    executor=dg.in_process_executor,
)

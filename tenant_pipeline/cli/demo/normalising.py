"""The pilot's sources, taken in and through all nine stages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tenant_pipeline.cli.demo.people import PILOT
from tenant_pipeline.cli.shell import operator
from tenant_pipeline.core.garbage import loading_code
from tenant_pipeline.core.tenancy import SourceId
from tenant_pipeline.samples.phuket_mice.pilot import PILOT_AGREEMENT, PILOT_NAME, SampleSource
from tenant_pipeline.services import registry, sources
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.storage.owned_folder import working_folder


def register_pilot(runtime: Runtime) -> None:
    """Register the pilot tenant, unless it is."""
    if any(row["id"] == PILOT for row in registry.list_tenants(runtime)):
        return
    registry.register_tenant(
        runtime,
        PILOT,
        name=PILOT_NAME,
        domain="phuket-mice.example",
        tier="pilot",
        actor=operator(),
        pdpa_agreement_ref=PILOT_AGREEMENT,
    )


def take_in(runtime: Runtime, write: Callable[[Path], list[SampleSource]]) -> list[Source]:
    """Hand in the files that `write` makes. What is there already stays as it is."""
    with working_folder("demo") as directory:
        return [
            sources.add_source(
                runtime,
                PILOT,
                origin=sample.origin,
                unit_mode=sample.unit_mode,
                places=[str(path) for path in sample.paths],
                title=sample.title,
                actor=operator(),
                rights=sample.rights,
                observed_at=sample.observed_at,
            )
            for sample in write(directory)
        ]


def run(runtime: Runtime, chosen: list[Source]) -> dict[SourceId, int]:
    """Take sources through their stages; how many stage outputs each wrote."""
    # Loaded when it is needed: Dagster takes seconds to load.
    with loading_code():
        from tenant_pipeline.cli.dagster_run import run_sources

    return run_sources(runtime, chosen)

"""`demo`: the pilot tenant's sources through all nine stages, and a summary to read."""

from __future__ import annotations

import getpass
import tempfile
import time
from pathlib import Path

from tenant_pipeline.cli.shell import complaints, console, opened
from tenant_pipeline.cli.summary import print_summary
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.samples.phuket_mice.pilot import PILOT_AGREEMENT, PILOT_NAME, write_sample
from tenant_pipeline.services import registry, sources
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source

PILOT = TenantId("phuket-mice")


def demo() -> None:
    """Take the pilot tenant "Phuket MICE" from its files to its draft knowledge base, and show what came of it."""
    from tenant_pipeline.cli.dagster_run import run_sources

    started = time.monotonic()
    with opened() as runtime:
        complaints.print("The database is up and migrated.")
        _register_pilot(runtime)
        added = _add_sources(runtime)
        complaints.print(f"{len(added)} sources of the pilot tenant are in its encrypted raw zone.")
        written = run_sources(runtime, added)
        print_summary(runtime, PILOT)
    stages = sum(written.values())
    console.print(
        f"\n{stages} stage outputs written in {time.monotonic() - started:.0f} s."
        if stages
        else "\nNothing was written: every stage had run over the same input with the same code."
    )


def _register_pilot(runtime: Runtime) -> None:
    if any(row["id"] == PILOT for row in registry.list_tenants(runtime)):
        return
    registry.register_tenant(
        runtime,
        PILOT,
        name=PILOT_NAME,
        domain="phuket-mice.example",
        tier="pilot",
        actor=getpass.getuser(),
        pdpa_agreement_ref=PILOT_AGREEMENT,
    )


def _add_sources(runtime: Runtime) -> list[Source]:
    with tempfile.TemporaryDirectory(prefix="phuket-mice-") as directory:
        return [
            sources.add_source(
                runtime,
                PILOT,
                origin=sample.origin,
                unit_mode=sample.unit_mode,
                places=[str(path) for path in sample.paths],
                title=sample.title,
                actor=getpass.getuser(),
                rights=sample.rights,
                observed_at=sample.observed_at,
            )
            for sample in write_sample(Path(directory))
        ]

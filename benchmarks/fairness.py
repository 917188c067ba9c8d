"""How long a tenant with one source waits while another has a thousand in line: `make benchmark-fairness [SOURCES]`.

Prints JSON. A whole installation with its daemon runs; the wait is from handing in a source until it is assembled,
measured alone and in the flood, and set beside how long the flood takes as a whole.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.machine import print_found
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.registry import register_tenant
from tenant_pipeline.services.runtime import Runtime, connect
from tenant_pipeline.services.sources import add_source
from tenant_pipeline.settings import Settings

SMALL, FLOOD = TenantId("small-tenant"), TenantId("flood-tenant")
SOURCES = 1_000
LONGEST = 3_600.0


@contextmanager
def installation(home: Path) -> Iterator[Runtime]:
    """`tenant-pipeline up` in a process of its own, for as long as the block lasts, and its runtime."""
    with socket.socket() as one, socket.socket() as two:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        ports = [str(each.getsockname()[1]) for each in (one, two)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tenant_pipeline", "up", "--port", ports[0], "--workspace-port", ports[1]],
        env={**os.environ, "TENANT_RUNTIME_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not (home / "postgres" / "dsn").exists() or not (home / "logs" / "daemon.log").exists():
            assert process.poll() is None, "`up` ended before its time"
            time.sleep(0.2)
        with connect(Settings(home=home)) as runtime:
            yield runtime
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)


def hand_in(runtime: Runtime, folder: Path, tenant: TenantId, name: str) -> SourceId:
    """A source of ten rows that no other has."""
    file = folder / f"{name}.csv"
    rows = (f"{name}-{number},Hall {number} of {name},{83000 + number}" for number in range(10))
    file.write_text("\n".join(["licence_no,venue_name_en,postcode", *rows, ""]))
    return add_source(
        runtime, tenant, origin=Origin.PRESS, unit_mode=UnitMode.SINGLE_FILE, places=[str(file)], title=name,
        actor="benchmark",
    ).id  # fmt: skip


def seconds_until(runtime: Runtime, tenant: TenantId, sources: int) -> float:
    """How long it takes from now until so many sources of a tenant are assembled."""
    began = time.perf_counter()
    while time.perf_counter() - began < LONGEST:
        with runtime.database.tenant(tenant) as connection:
            row = connection.execute(
                "SELECT count(*) AS done FROM runtime.tenant_sources WHERE ingest_status = 'assembled'"
            ).fetchone()
        if row and row["done"] >= sources:
            return time.perf_counter() - began
        time.sleep(0.2)
    raise TimeoutError(f"{tenant}: {sources} sources were not assembled within {LONGEST} s")


def main() -> None:
    """Measure and print."""
    sources = int(sys.argv[1]) if len(sys.argv) > 1 else SOURCES
    with tempfile.TemporaryDirectory(prefix="tenant-runtime-fair-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        with installation(folder / "home") as runtime:
            for tenant in (SMALL, FLOOD):
                register_tenant(
                    runtime, tenant, name={"th": "ก", "en": "a", "zh": "普"}, domain="a.example", tier="pilot",
                    actor="benchmark", pdpa_agreement_ref="DPA-1",
                )  # fmt: skip
            hand_in(runtime, folder, SMALL, "warm")
            seconds_until(runtime, SMALL, 1)
            hand_in(runtime, folder, SMALL, "alone")
            alone = seconds_until(runtime, SMALL, 2)
            for number in range(sources):
                hand_in(runtime, folder, FLOOD, f"flood-{number}")
            began = time.perf_counter()
            hand_in(runtime, folder, SMALL, "flooded")
            flooded = seconds_until(runtime, SMALL, 3)
            seconds_until(runtime, FLOOD, sources)
            flood = time.perf_counter() - began
    print_found(
        flood_sources=sources,
        alone_seconds=round(alone, 1),
        flooded_seconds=round(flooded, 1),
        flood_seconds=round(flood, 1),
        ratio_to_alone=round(flooded / alone, 2),
        share_of_the_flood=round(flooded / flood, 3),
    )


if __name__ == "__main__":
    main()

"""Coverage looked at again, beside counting it: `python -m benchmarks.components.coverage_reading STATEMENTS`.

Counting is what the first look takes after each change of the knowledge base; any other look takes what was counted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.components.figure import figure, print_figures
from benchmarks.components.statement_rows import STATEMENTS_A_HALL, links_of, stage_store, statement_rows, stored
from benchmarks.measured import processor_seconds
from benchmarks.scale.installation import add_halls, installation, register
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.coverage.reading import explain_coverage, read_coverage
from tenant_pipeline.storage.assemble import assemble

TENANT = TenantId("components")
LOOKS = 20


def main(statements: int) -> None:
    """Measure and print. Raises AssertionError where what is told again is not what was counted."""
    halls = max(1, statements // STATEMENTS_A_HALL)
    with installation() as runtime, stage_store() as store, tempfile.TemporaryDirectory() as folder:
        register(runtime, TENANT)
        source = add_halls(runtime, TENANT, 0, Path(folder)).id
        validated = stored(store, "validate", "statements", statement_rows(halls, halls))
        links = stored(store, "link", "links", iter([links_of(halls)]))
        with runtime.database.tenant(TENANT) as connection:
            assemble(connection, TENANT, source, links, validated, runtime.now(), Path(folder))
        print_figures(
            _looked("coverage of a tenant", halls, lambda: read_coverage(runtime, TENANT)),
            _looked("what a tenant's coverage lacks", halls, lambda: explain_coverage(runtime, TENANT)),
        )


def _looked(name: str, halls: int, look: Callable[[], Any]) -> dict[str, Any]:
    began, started = processor_seconds(), time.perf_counter()
    counted = look()
    counting, waited = processor_seconds() - began, time.perf_counter() - started
    began, started = processor_seconds(), time.perf_counter()
    for _ in range(LOOKS):
        if look() != counted:
            raise AssertionError(f"{name} is told otherwise than it was counted")
    again = 1000 * max(0.01, processor_seconds() - began) / LOOKS
    return figure(
        f"{name}, looked at again", "milliseconds of processor time", again,
        beside="counted", beside_value=1000 * counting, ratio=again / (1000 * counting),
        rows=halls * STATEMENTS_A_HALL, look_ms=round(1000 * (time.perf_counter() - started) / LOOKS, 2),
        counting_ms=round(1000 * waited, 1),
    )  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""A page of the audit log by person, action, subject and time: `python -m benchmarks.components.audit_search ENTRIES`.

With the four indexes that the searches have, and then without them, which the benchmark drops. One entry in a thousand
is what is looked for; all others are the pipeline's.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from benchmarks.components.figure import figure, print_figures
from benchmarks.measured import processor_seconds
from benchmarks.scale.installation import installation, register
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.audit_trail import AuditFilter, read_audit
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry

TENANT = TenantId("components")
BATCH, ONE_IN, A_PAGE = 1_000, 1_000, 50
SEARCHES, SEARCHES_WITHOUT = 200, 20


def main(entries: int) -> None:
    """Measure and print. Raises AssertionError where an index changes what is found."""
    with installation() as runtime:
        register(runtime, TENANT)
        middle = _filled(runtime, entries)
        wanted = {
            "person": AuditFilter(actor="nok"),
            "action": AuditFilter(action="role"),
            "subject": AuditFilter(subject="somchai"),
            "time": AuditFilter(until=middle),
        }
        found = {name: _searched(runtime, each, SEARCHES) for name, each in wanted.items()}
        with runtime.database.administration() as connection:
            for row in connection.execute(
                "SELECT indexname FROM pg_indexes WHERE schemaname = 'runtime' AND indexname LIKE 'audit_log_by_%'"
            ).fetchall():
                connection.execute(f"DROP INDEX runtime.{row['indexname']}".encode())
        without = {name: _searched(runtime, each, SEARCHES_WITHOUT) for name, each in wanted.items()}
    for name, (_, _, numbers) in found.items():
        if not numbers or numbers != without[name][2]:
            raise AssertionError(f"by {name}: {numbers} with indexes, {without[name][2]} without")
    print_figures(
        *(
            figure(
                f"search of the audit log by {name}", "milliseconds of processor time", processor,
                beside="without indexes", beside_value=without[name][0], ratio=processor / without[name][0],
                rows=entries, median_ms=median, median_ms_without=without[name][1],
            )
            for name, (processor, median, _) in found.items()
        )
    )  # fmt: skip


def _filled(runtime: Runtime, entries: int) -> datetime:
    """Write the log, and return a time in its middle."""
    middle = datetime.now(UTC)
    for first in range(0, entries, BATCH):
        if first <= entries // 2:
            middle = datetime.now(UTC)
        with runtime.database.tenant(TENANT) as connection:
            runtime.audit.append(connection, TENANT, list(_entries(first, min(first + BATCH, entries))))
    with runtime.database.autocommit() as connection:
        connection.execute("VACUUM ANALYZE runtime.audit_log")
    return middle


def _entries(first: int, end: int) -> Iterator[AuditEntry]:
    for number in range(first, end):
        if number % ONE_IN == 0:
            yield AuditEntry("nok", "role.granted", "somchai", {"role": "tenant-admin"})
        else:
            yield AuditEntry("pipeline", "stage.complete", f"src-{number:016x}:map", {"rows_in": number})


def _searched(runtime: Runtime, wanted: AuditFilter, times: int) -> tuple[float, float, list[int]]:
    """Milliseconds of processor time a search, the median of all time, and the numbers of what was found."""
    page = read_audit(runtime, TENANT, wanted, limit=A_PAGE)
    began, took = processor_seconds(), []
    for _ in range(times):
        started = time.perf_counter()
        read_audit(runtime, TENANT, wanted, limit=A_PAGE)
        took.append(1000 * (time.perf_counter() - started))
    processor = max(0.01, processor_seconds() - began)
    numbers = [entry["sequence"] for entry in page.entries]
    return 1000 * processor / times, round(statistics.median(took), 2), numbers


if __name__ == "__main__":
    main(int(sys.argv[1]))

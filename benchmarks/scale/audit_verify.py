"""Rows a second of `audit verify`, beside the floor: reading the same rows and taking the SHA-256 of their bytes."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from benchmarks.scale.installation import installation, register
from benchmarks.scale.part import curve
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.audit_verification import ROWS_A_FETCH

TENANT = TenantId("scale-audit")
BATCH = 1_000
STEPS = 4


def measure(entries: int) -> dict[str, Any]:
    """Append entries like those of stages, and verify them at four sizes of the log."""
    grown: list[dict[str, float]] = []
    with installation() as runtime:
        register(runtime, TENANT)
        there = _floor(runtime)[0]
        for step in range(1, STEPS + 1):
            started = time.perf_counter()
            wanted = entries * step // STEPS
            _append(runtime, there, wanted)
            appending = (wanted - there) / (time.perf_counter() - started)
            there = wanted
            with runtime.database.tenant(TENANT) as connection:
                runtime.audit.checkpoint(connection, TENANT, runtime.now())
            grown.append({"entries": there, "appended_a_second": round(appending), **_verified(runtime)})
    last = grown[-1]
    return {
        **last,
        "curve": grown,
        "curves": [
            curve(
                "Verifying the audit log of one tenant", "entries", "entries a second",
                {
                    "verify": [(each["entries"], each["verified_a_second"]) for each in grown],
                    "read and SHA-256": [(each["entries"], each["floor_a_second"]) for each in grown],
                },
            )
        ],
        "notes": ["Verifying makes each entry anew in canonical form, chains it and checks every seal."],
    }  # fmt: skip


def _verified(runtime: Runtime) -> dict[str, float]:
    started = time.perf_counter()
    with runtime.database.tenant(TENANT) as connection:
        report = runtime.audit.verify(connection, TENANT)
    seconds = time.perf_counter() - started
    rows, floor = _floor(runtime)
    if not report.intact or report.entries != rows:
        raise AssertionError(f"{report.problem or report.entries} of {rows}")
    return {
        "verified_a_second": round(rows / seconds),
        "floor_a_second": round(rows / floor),
        "ratio_to_floor": round(seconds / floor, 2),
    }


def _floor(runtime: Runtime) -> tuple[int, float]:
    """How many rows there are, and the seconds to read them in their order and hash their bytes."""
    started, rows = time.perf_counter(), 0
    with runtime.database.tenant(TENANT) as connection, connection.cursor(name="floor") as cursor:
        cursor.itersize = ROWS_A_FETCH
        cursor.execute(
            "SELECT log::text AS bytes FROM runtime.audit_log AS log WHERE tenant_id = %s ORDER BY sequence", (TENANT,)
        )
        for row in cursor:
            hashlib.sha256(row["bytes"].encode()).digest()
            rows += 1
    return rows, time.perf_counter() - started


def _append(runtime: Runtime, first: int, until: int) -> None:
    for begin in range(first, until, BATCH):
        batch = [_entry(number) for number in range(begin, min(begin + BATCH, until))]
        with runtime.database.tenant(TENANT) as connection:
            runtime.audit.append(connection, TENANT, batch)


def _entry(number: int) -> AuditEntry:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    details = {
        "input_digest": digest, "output_digest": digest[::-1], "code_version": digest[:16], "rows_in": number,
        "rows_out": number, "rejected": 0, "quarantined": 0, "gate_verdict": None,
    }  # fmt: skip
    return AuditEntry(actor="pipeline", action="stage.complete", subject=f"src-{digest[:16]}:map", details=details)

"""A penetration test on record, for tests of what stands on one; what it takes to make one is in `test_pentest`."""

from __future__ import annotations

from dataclasses import replace

from tenant_pipeline.core.digest import sha256_of_bytes
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.penetration_tests import PenetrationReport, record_test
from tenant_pipeline.services.runtime import Runtime

CLEAN = PenetrationReport(
    forms=326, attempts=15_000, came_through=(), not_tried=(), whole=True, digest=sha256_of_bytes(b""), seconds=22.0
)


def isolation_tested(runtime: Runtime, **otherwise: object) -> int:
    """Put a test on record, in the name of the installation's first tenant; its number."""
    (first, *_) = (row["id"] for row in registry.list_tenants(runtime))
    report = replace(CLEAN, **otherwise)  # type: ignore[arg-type]
    return int(record_test(runtime, report, person="tester", attacked=TenantId(first))["number"])

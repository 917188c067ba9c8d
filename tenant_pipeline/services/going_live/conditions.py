"""What every tenant that goes to pilot or live has to have, however it gets there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.coverage.reading import verdict_of_tenant
from tenant_pipeline.services.penetration_tests import what_keeps_from_serving
from tenant_pipeline.services.releases.reading import publishing_history
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection


class Condition(StrEnum):
    """What is asked of a tenant beside its approvals. The first is asked for pilot too, the others for live alone."""

    ISOLATION_TESTED = "isolation-tested"
    COVERAGE_GREEN = "coverage-green"
    FOUNDER_SIGNED = "founder-signed"
    RELEASE_PASSED = "release-passed"


@dataclass(frozen=True)
class ConditionFound:
    """A condition, and why it is not met; met where nothing keeps it from being."""

    condition: Condition
    why_not: tuple[str, ...]


def conditions_of(
    runtime: Runtime, connection: Connection, tenant: TenantId, *, exact: bool = True
) -> list[ConditionFound]:
    """Every condition of going to pilot and live, as the tenant stands now; coverage nearly so, if not `exact`."""
    row = connection.execute("SELECT founder_signoff_ref FROM runtime.tenants WHERE id = %s", (tenant,)).fetchone()
    signed = row is not None and row["founder_signoff_ref"] is not None
    green = verdict_of_tenant(runtime, tenant, exact=exact).green
    passed = approvals_of_release(connection, tenant)
    tested = what_keeps_from_serving(connection, runtime.settings.pentest_valid_days)
    return [
        ConditionFound(Condition.ISOLATION_TESTED, tuple(tested)),
        ConditionFound(Condition.COVERAGE_GREEN, () if green else ("coverage is not green",)),
        ConditionFound(Condition.FOUNDER_SIGNED, () if signed else ("the founder has not signed",)),
        ConditionFound(Condition.RELEASE_PASSED, () if passed else ("the live release has not passed gate-go-live",)),
    ]


def what_keeps_from_live(runtime: Runtime, connection: Connection, tenant: TenantId) -> list[str]:
    """Why the tenant may not go live now, a reason for each condition that it lacks; empty where it may.

    The installation's isolation is tested, coverage is green, the founder has signed, and the release that readers see
    passed gate-go-live.
    """
    return [reason for each in conditions_of(runtime, connection, tenant) for reason in each.why_not]


def approvals_of_release(connection: Connection, tenant: TenantId) -> list[str]:
    """The approvals with which what readers see was published last."""
    published = [each for each in publishing_history(connection, tenant) if each["stage"] == "published"]
    return list(published[-1]["approvals"]) if published else []

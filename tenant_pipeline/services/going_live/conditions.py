"""What every tenant that goes live has to have, whichever way it comes: for the first time, or back into service."""

from __future__ import annotations

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.coverage.reading import verdict_of_tenant
from tenant_pipeline.services.releases.reading import publishing_history
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.stage_records import Connection


def what_keeps_from_live(runtime: Runtime, connection: Connection, tenant: TenantId) -> list[str]:
    """Why the tenant may not go live now, a reason for each condition that it lacks; empty where it may.

    Coverage is green, the founder has signed, and the release that readers see passed gate-go-live.
    """
    reasons = [] if verdict_of_tenant(runtime, tenant).green else ["coverage is not green"]
    row = connection.execute("SELECT founder_signoff_ref FROM runtime.tenants WHERE id = %s", (tenant,)).fetchone()
    if row is None or row["founder_signoff_ref"] is None:
        reasons.append("the founder has not signed")
    if not approvals_of_release(connection, tenant):
        reasons.append("the live release has not passed gate-go-live")
    return reasons


def approvals_of_release(connection: Connection, tenant: TenantId) -> list[str]:
    """The approvals with which what readers see was published last."""
    published = [each for each in publishing_history(connection, tenant) if each["stage"] == "published"]
    return list(published[-1]["approvals"]) if published else []

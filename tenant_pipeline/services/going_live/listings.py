"""A listing in the marketplace: asked for, approved, shown; taken down when what it tells of is no longer live."""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.approvals.records import RecordedRequest
from tenant_pipeline.services.approvals.requesting import request_operation
from tenant_pipeline.services.approvals.verification import use_approvals
from tenant_pipeline.services.going_live.releases import first_ready, withdrawn_if_outdated
from tenant_pipeline.services.marketplace.drafting import ListingTerms, draft_listing
from tenant_pipeline.services.marketplace.listing import put_up
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.telemetry.traces import traced


def request_listing(
    runtime: Runtime, tenant: TenantId, terms: ListingTerms, *, requested_by: str, reason: str = ""
) -> list[RecordedRequest]:
    """Draft the listing of what is live and ask for its approvals. Raises InputError."""
    content = draft_listing(runtime, tenant, terms)
    return request_operation(runtime, tenant, Operation.LISTING, content, requested_by=requested_by, reason=reason)


@traced("listing.publish")
def list_approved(runtime: Runtime, tenant: TenantId, *, run_by: str) -> dict[str, Any]:
    """Show the listing that was approved.

    Raises ApprovalMissingError with all that is missing; OutdatedError where another release is live by now, and then
    withdraws what was asked for.
    """
    chosen = first_ready(runtime, tenant, Operation.LISTING)
    with withdrawn_if_outdated(runtime, chosen, run_by=run_by):
        digest = put_up(
            runtime,
            tenant,
            chosen.content,
            listed_by=run_by,
            verify=lambda connection: use_approvals(
                runtime, connection, tenant, Operation.LISTING, chosen.content, used_by=run_by
            ),
        )
    return {
        "listing": digest,
        "version": chosen.content["version"],
        "visibility": chosen.content["visibility"],
        "share_scope": chosen.content["share_scope"],
        "approvals": list(chosen.approvals),
        "approved_digest": chosen.digest,
    }

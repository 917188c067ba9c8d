"""What the commands for releases, instances and listings share: showing what was asked for, doing what may be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenant_pipeline.cli.shell import print_fields, print_json, print_rows
from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.garbage import loading_code
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.approvals.records import RecordedRequest
from tenant_pipeline.services.going_live.instances import provisioning_is_unfinished
from tenant_pipeline.services.going_live.releases import first_ready
from tenant_pipeline.services.runtime import Runtime

REQUEST_COLUMNS = ("id", "gate", "operation", "digest", "state", "waits_for", "due_at")


def print_requests(requests: Sequence[RecordedRequest], as_json: bool) -> None:
    """What was asked for, and who has to say yes."""
    print_rows("Asked for", [each.as_json() for each in requests], REQUEST_COLUMNS, as_json=as_json)


def do_approved(runtime: Runtime, tenant: TenantId, *operations: Operation) -> dict[str, Any]:
    """Run, in this process, the job over what was approved, and return what it did.

    Raises ApprovalMissingError with all that is missing.
    """
    if not (Operation.INSTANCE in operations and provisioning_is_unfinished(runtime, tenant)):
        first_ready(runtime, tenant, *operations)
    # Loaded when it is needed: Dagster takes seconds to load.
    with loading_code():
        from tenant_pipeline.cli.dagster_run import run_for_tenant

    return run_for_tenant(runtime, tenant, operations[0])


def print_done(tenant: TenantId, done: dict[str, Any], as_json: bool) -> None:
    """What was done, as a table or as JSON."""
    if as_json:
        print_json(done)
        return
    print_fields(tenant, {name.replace("_", " "): value for name, value in done.items()}, as_json=False)

"""Publishing a release and going back to one: asked for, approved, done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.lifecycle import TenantState
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.approvals.line import OperationInLine, operations_in_line
from tenant_pipeline.services.approvals.records import RecordedRequest
from tenant_pipeline.services.approvals.refusals import ApprovalMissingError, OutdatedError
from tenant_pipeline.services.approvals.requesting import request_operation, withdraw_outdated_requests
from tenant_pipeline.services.approvals.verification import use_approvals
from tenant_pipeline.services.lifecycle import move_on
from tenant_pipeline.services.releases.building import build_candidate
from tenant_pipeline.services.releases.checks import check_release, require_passed
from tenant_pipeline.services.releases.publishing import confirm, publish, require_published, roll_back
from tenant_pipeline.services.releases.reading import last_published, live_release, publishing_history, release
from tenant_pipeline.services.releases.stages import note_stage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import require_fitting, state_of
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.telemetry.traces import traced


def request_release(
    runtime: Runtime, tenant: TenantId, *, requested_by: str, reason: str = ""
) -> list[RecordedRequest]:
    """Build the draft's release, hold it to its checks, and ask for the approvals that publishing it takes.

    A tenant that went back to draft, and whose draft is what is live, has that approved again.

    Raises ReleaseRefusedError naming the checks that it fails, StateForbidsError out of service, and InputError where
    there is nothing to publish.
    """
    registry.require_in_service(runtime, tenant)
    candidate = build_candidate(runtime, tenant, requested_by=requested_by)
    require_passed(check_release(runtime, candidate.release))
    built = candidate.release
    content: dict[str, Any] = {
        "release": built.digest,
        "version": built.version,
        "base": built.base_digest,
        "content_digest": built.content_digest,
        "conflicts_digest": built.conflicts_digest,
        "template_version": built.template_version,
        "entities": built.entities,
        "changes": asdict(candidate.changes),
    }
    if candidate.is_live:
        with runtime.database.platform() as connection:
            content["after_entry"] = last_published(publishing_history(connection, tenant))
    requests = request_operation(runtime, tenant, Operation.RELEASE, content, requested_by=requested_by, reason=reason)
    with runtime.database.platform() as connection:
        note_stage(runtime, connection, tenant, built.digest, "review", person=requested_by)
    return requests


def request_rollback(
    runtime: Runtime, tenant: TenantId, to: str, *, requested_by: str, reason: str
) -> list[RecordedRequest]:
    """Ask for the approval that going back to an earlier release takes. Raises NotFoundError, InputError."""
    registry.require_in_service(runtime, tenant)
    with runtime.database.platform() as connection:
        wanted, live = release(connection, tenant, to), live_release(connection, tenant)
        entries = publishing_history(connection, tenant)
    require_published(entries, wanted, live)
    assert live is not None
    content = {
        "release": wanted.digest,
        "version": wanted.version,
        "from": live.digest,
        "from_version": live.version,
        "after_entry": last_published(entries),
        "reason": reason,
    }
    return request_operation(runtime, tenant, Operation.ROLLBACK, content, requested_by=requested_by, reason=reason)


@traced("release.publish")
def publish_approved(runtime: Runtime, tenant: TenantId, *, run_by: str, digest: str | None = None) -> dict[str, Any]:
    """Do what was approved last for the tenant's release: publish it, or go back to one; say what was done.

    With `digest`, what was approved over it and nothing else: a release that cannot be published bars no way back.

    Raises ApprovalMissingError with all that is missing, where nothing may go ahead; OutdatedError where something else
    was published since, and then withdraws what was asked for.
    """
    chosen = first_ready(runtime, tenant, Operation.RELEASE, Operation.ROLLBACK, digest=digest)
    content = chosen.content

    def verify(connection: Connection) -> list[str]:
        used = use_approvals(runtime, connection, tenant, chosen.operation, content, used_by=run_by)
        if chosen.operation is Operation.RELEASE and state_of(connection, tenant) is TenantState.DRAFT:
            move_on(
                runtime, connection, tenant, TenantState.REVIEW, approvals=used, person=run_by,
                reason=f"release {content['version']} was approved",
            )  # fmt: skip
        return used

    release_digest = Sha256(content["release"])
    with withdrawn_if_outdated(runtime, chosen, run_by=run_by):
        if "after_entry" in content and chosen.operation is Operation.RELEASE:
            number = confirm(runtime, tenant, release_digest, confirmed_by=run_by, verify=verify)
        elif chosen.operation is Operation.RELEASE:
            number = publish(runtime, tenant, release_digest, published_by=run_by, verify=verify)
        else:
            number = roll_back(
                runtime, tenant, release_digest, instead_of=content["from"], after_entry=content["after_entry"],
                rolled_back_by=run_by, reason=content["reason"], verify=verify,
            )  # fmt: skip
    return {
        "operation": str(chosen.operation),
        "version": content["version"],
        "release": release_digest,
        "history_entry": number,
        "approvals": list(chosen.approvals),
        "approved_digest": chosen.digest,
        "changes": dict(content.get("changes", {})),
    }


def first_ready(
    runtime: Runtime, tenant: TenantId, *operations: Operation, digest: str | None = None
) -> OperationInLine:
    """The first of these operations whose approvals are all there; with `digest`, the one over it.

    Raises StateForbidsError where the tenant's state does not allow them, ApprovalMissingError with what is missing.
    """
    with runtime.database.platform() as connection:
        for operation in operations:
            require_fitting(connection, tenant, operation)
    line = [each for each in operations_in_line(runtime, *operations, tenant=tenant) if digest in (None, each.digest)]
    for each in line:
        if not each.missing:
            return each
    missing = [f"{each.operation}: {reason}" for each in line for reason in each.missing]
    raise ApprovalMissingError(
        f"Nothing may go ahead: {'; '.join(missing) or 'nothing was asked for'}",
        where=tenant,
        remedy="`tenant-pipeline approval list` shows what waits for whom.",
    )


@contextmanager
def withdrawn_if_outdated(runtime: Runtime, chosen: OperationInLine, *, run_by: str) -> Iterator[None]:
    """What the block finds outdated is withdrawn, with why, before its OutdatedError goes on."""
    try:
        yield
    except OutdatedError as error:
        withdraw_outdated_requests(runtime, chosen.tenant, chosen.requests, person=run_by, reason=error.what)
        raise

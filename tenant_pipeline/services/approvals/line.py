"""What was asked for and is not done yet, across all tenants: what may go ahead, what still waits for whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.lifecycle import FITTING, TenantState
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.approvals.records import requests_of
from tenant_pipeline.services.approvals.requesting import OPEN
from tenant_pipeline.services.approvals.verification import missing_approvals
from tenant_pipeline.services.penetration_tests import what_keeps_from_serving
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import state_of


@dataclass(frozen=True)
class OperationInLine:
    """One operation over one digest. It may go ahead when nothing is `missing`.

    Missing may be approvals, a state to have it in, or the penetration test without which no tenant goes to pilot.
    """

    tenant: TenantId
    operation: Operation
    digest: Sha256
    content: dict[str, Any]
    requests: tuple[str, ...]
    approvals: tuple[str, ...]
    missing: tuple[str, ...]


def operations_in_line(
    runtime: Runtime, *operations: Operation, tenant: TenantId | None = None
) -> list[OperationInLine]:
    """The operations of these kinds with open requests, by tenant: at most one of a kind, the newest asked for.

    The work grows with what is open, not with what was ever asked for.
    """
    now = runtime.now()
    found: list[OperationInLine] = []
    with runtime.database.platform() as connection:
        rows = connection.execute(
            """
            SELECT tenant_id, subject, (array_agg(subject_digest ORDER BY number DESC))[1] AS digest
              FROM runtime.approval_requests AS request
             WHERE subject = ANY(%(operations)s) AND expires_at > %(now)s
               AND (%(tenant)s::text IS NULL OR tenant_id = %(tenant)s)
               AND NOT EXISTS (SELECT FROM runtime.approval_steps AS step
                                WHERE step.tenant_id = request.tenant_id AND step.request_id = request.id
                                  AND step.step IN ('used', 'withdrawn'))
             GROUP BY tenant_id, subject
             ORDER BY tenant_id, subject
            """,
            {"operations": [str(each) for each in operations], "now": now, "tenant": tenant},
        ).fetchall()
        for row in rows:
            operation, digest = Operation(row["subject"]), Sha256(row["digest"])
            identifier = TenantId(row["tenant_id"])
            requests = [
                each
                for each in requests_of(connection, identifier, now, operation=operation, digest=digest)
                if each.standing.state in OPEN
            ]
            if not requests:
                continue
            state = state_of(connection, identifier)
            missing = (
                missing_approvals(runtime, connection, identifier, operation, digest)
                if state in FITTING[operation]
                else [f"the tenant is {state}"]
            )
            if operation is Operation.INSTANCE and state is TenantState.REVIEW:
                missing += what_keeps_from_serving(connection, runtime.settings.pentest_valid_days)
            found.append(
                OperationInLine(
                    tenant=identifier,
                    operation=operation,
                    digest=digest,
                    content=requests[0].content,
                    requests=tuple(each.request.id for each in requests),
                    approvals=tuple(word.id for each in requests for word in each.standing.met_by),
                    missing=tuple(missing),
                )
            )
    return found

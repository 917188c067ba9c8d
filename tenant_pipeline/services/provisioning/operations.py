"""Operations and their steps as rows that are only ever added: what a resumed saga goes by."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg.errors import LockNotAvailable
from psycopg.types.json import Jsonb

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

DONE, COMPENSATED = "done", "compensated"
"""The two steps that end an operation."""
LOCK_WAIT = "1s"
"""The server takes a moment to see that whoever held the lock was killed."""


class Act(StrEnum):
    """What an operation is for."""

    PROVISION = "provision"
    DEPROVISION = "deprovision"


class State(StrEnum):
    """How a step stands."""

    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"


@dataclass(frozen=True)
class StepRecord:
    """One row: a step that came to a state, with what was found or done."""

    step: str
    state: State
    detail: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True)
class ProvisioningOperation:
    """One attempt to bring an instance up or take it down, with all its steps in order."""

    tenant: TenantId
    id: uuid.UUID
    act: Act
    backend: str
    namespace: str
    plan_digest: str
    approvals: tuple[str, ...]
    requested_by: str
    begun_at: datetime
    steps: tuple[StepRecord, ...]

    @property
    def outcome(self) -> str:
        """`done`, `compensated`, or `open` while neither."""
        ended = [each.step for each in self.steps if each.step in (DONE, COMPENSATED) and each.state is State.DONE]
        return ended[-1] if ended else "open"

    @property
    def left_nothing(self) -> bool:
        """Whether no instance stands after it: it was taken down, or taken back, and none had stood before."""
        if self.act is Act.DEPROVISION:
            return self.outcome == DONE
        kept = any(each.state is State.UNDONE and each.detail.get("kept") for each in self.steps)
        return self.outcome == COMPENSATED and not kept

    @property
    def broke_isolation(self) -> bool:
        """Whether an attempt on somebody else's data came through: nothing that it concerns may stand."""
        return any(each.state is State.FAILED and each.detail.get("isolation_broken") for each in self.steps)

    def found_before(self, step: str) -> Mapping[str, Any] | None:
        """What was found when the step was first begun; None where it never was."""
        return next((each.detail for each in self.steps if (each.step, each.state) == (step, State.BEGUN)), None)

    def has(self, step: str, state: State) -> bool:
        """Whether the step ever came to this state."""
        return any((each.step, each.state) == (step, state) for each in self.steps)

    def as_json(self) -> dict[str, Any]:
        """The operation as the command line and the API give it."""
        return {
            "tenant": self.tenant,
            "id": str(self.id),
            "act": str(self.act),
            "outcome": self.outcome,
            "backend": self.backend,
            "namespace": self.namespace,
            "plan_digest": self.plan_digest,
            "approvals": list(self.approvals),
            "requested_by": self.requested_by,
            "begun_at": self.begun_at.isoformat(),
            "steps": [
                {"step": each.step, "state": str(each.state), "detail": dict(each.detail), "at": each.at.isoformat()}
                for each in self.steps
            ],
        }


@contextmanager
def exclusive(runtime: Runtime, tenant: TenantId) -> Iterator[None]:
    """Be the only one who changes the tenant's instance. Raises ProvisioningError where somebody else is at it.

    The lock is the database's and goes with its session: killed, we leave nothing to clear away. While it is held, its
    session may be idle, however soon the server ends others for that.
    """
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(runtime.database.platform())
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_WAIT,))
            connection.execute("SELECT app.lock('provisioning', %s)", (tenant,))
        except LockNotAvailable:
            raise _busy(runtime, tenant) from None
        yield


def _busy(runtime: Runtime, tenant: TenantId) -> ProvisioningError:
    with runtime.database.platform() as connection:
        running = latest_operation(connection, tenant)
    what = f"{running.requested_by} began to {running.act} it" if running else "somebody works on it"
    return ProvisioningError(
        f"The tenant's instance is being changed already: {what}",
        where=tenant,
        remedy="Wait until that has ended; `tenant-pipeline instance status` shows how far it is.",
    )


def require_same_backend(operation: ProvisioningOperation, backend: str) -> None:
    """Return where this backend runs what the operation brought up. Raises ProvisioningError."""
    if operation.backend != backend:
        raise ProvisioningError(
            f"The tenant's instance is run by the {operation.backend} backend",
            where=operation.tenant,
            remedy=f"Use that one; deprovision there before moving to {backend}.",
        )


def begin(
    connection: Connection, tenant: TenantId, act: Act, backend: str, namespace: str, plan_digest: str,
    approvals: Sequence[str], requested_by: str,
) -> ProvisioningOperation:  # fmt: skip
    """A new operation."""
    connection.execute(
        """
        INSERT INTO runtime.provisioning_operations
               (tenant_id, id, act, backend, namespace, plan_digest, approvals, requested_by)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (tenant, uuid.uuid4(), str(act), backend, namespace, plan_digest, Jsonb(list(approvals)), requested_by),
    )
    begun = latest_operation(connection, tenant)
    assert begun is not None
    return begun


def record(
    runtime: Runtime, operation: ProvisioningOperation, step: str, state: State, detail: Mapping[str, Any], actor: str
) -> None:
    """Add one row to an operation's steps; all but a beginning are audited with it."""
    with runtime.database.platform() as connection:
        record_in(runtime, connection, operation, step, state, detail, actor)


def record_in(
    runtime: Runtime, connection: Connection, operation: ProvisioningOperation, step: str, state: State,
    detail: Mapping[str, Any], actor: str,
) -> None:  # fmt: skip
    """As `record`, in the transaction that does what the row tells."""
    connection.execute(
        """
        INSERT INTO runtime.provisioning_steps (tenant_id, operation_id, step, state, detail)
        VALUES (%s, %s, %s, %s, %s)
        """,
        (operation.tenant, operation.id, step, str(state), Jsonb(dict(detail))),
    )
    if state is not State.BEGUN:
        entry = AuditEntry(actor, f"instance.{operation.act}.{step}.{state}", str(operation.id), detail)
        runtime.audit.append(connection, operation.tenant, [entry])


def operations(connection: Connection, tenant: TenantId, limit: int = 50) -> list[ProvisioningOperation]:
    """The tenant's last operations, the newest first, each with all its steps."""
    rows = connection.execute(
        """
        SELECT operation.*,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('step', step, 'state', state, 'detail', detail, 'at', at)
                                          ORDER BY number), '[]')
                  FROM runtime.provisioning_steps
                 WHERE tenant_id = operation.tenant_id AND operation_id = operation.id) AS steps
          FROM runtime.provisioning_operations AS operation
         WHERE operation.tenant_id = %s
         ORDER BY operation.number DESC
         LIMIT %s
        """,
        (tenant, limit),
    ).fetchall()
    return [
        ProvisioningOperation(
            tenant=TenantId(row["tenant_id"]),
            id=row["id"],
            act=Act(row["act"]),
            backend=row["backend"],
            namespace=row["namespace"],
            plan_digest=row["plan_digest"],
            approvals=tuple(row["approvals"]),
            requested_by=row["requested_by"],
            begun_at=row["begun_at"],
            steps=tuple(
                StepRecord(each["step"], State(each["state"]), each["detail"], datetime.fromisoformat(each["at"]))
                for each in row["steps"]
            ),
        )
        for row in rows
    ]


def latest_operation(connection: Connection, tenant: TenantId) -> ProvisioningOperation | None:
    """The tenant's last operation, if there was any."""
    return next(iter(operations(connection, tenant, limit=1)), None)

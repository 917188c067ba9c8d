"""Who may sign: the roles that the approval matrix names for `gate-conflict-resolution`, and never the requester."""

from __future__ import annotations

from dataclasses import dataclass

from tenant_pipeline.core.approval.operation import ApprovalGate
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.persons import require_person_and_reason
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection

GATE = ApprovalGate.CONFLICT_RESOLUTION
LONGEST_REASON = 2_000


@dataclass(frozen=True)
class Signer:
    """Who decides, in which role, and why."""

    person: str
    role: str
    reason: str


def signing_roles(runtime: Runtime) -> tuple[str, ...]:
    """The roles that may sign conflicts."""
    return runtime.contracts.roles_at(GATE)


def require_entitled(runtime: Runtime, connection: Connection, tenant: TenantId, signer: Signer) -> None:
    """Return when the signer may sign. Raises InputError for what is missing, NotAllowedError without the role."""
    require_person_and_reason(signer.person, signer.reason, "A decision needs a person and a reason")
    if len(signer.reason) > LONGEST_REASON or "\0" in signer.reason + signer.person:
        raise InputError(
            "The reason cannot be kept", where="--reason", remedy=f"At most {LONGEST_REASON} characters of text."
        )
    require_role(connection, tenant, signer.person, signer.role, signing_roles(runtime))

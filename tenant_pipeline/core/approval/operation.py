"""The operations that wait for approval, and the gates that each has to pass."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from tenant_pipeline.core.digest import Sha256, sha256_of_json


class ApprovalGate(StrEnum):
    """The five approval gates of the contract."""

    REVIEW = "gate-review"
    CONFLICT_RESOLUTION = "gate-conflict-resolution"
    TENANT_INSTANTIATE = "gate-tenant-instantiate"
    MARKETPLACE = "gate-marketplace"
    GO_LIVE = "gate-go-live"


class Operation(StrEnum):
    """What is approved: publishing a release, going back to one, an instance, a listing, a change of state."""

    RELEASE = "release"
    ROLLBACK = "rollback"
    INSTANCE = "instance"
    LISTING = "listing"
    LIFECYCLE = "lifecycle"


PUBLISHING: Mapping[str, ApprovalGate | None] = {
    "draft": None,
    "review": ApprovalGate.REVIEW,
    "approved": ApprovalGate.GO_LIVE,
    "published": None,
}
"""The stages that a release goes through, each with the gate that its contract names for it."""

ROLLBACK_GATE = ApprovalGate.GO_LIVE

GATES: Mapping[Operation, tuple[ApprovalGate, ...]] = {
    Operation.RELEASE: (ApprovalGate.REVIEW, ApprovalGate.CONFLICT_RESOLUTION, ApprovalGate.GO_LIVE),
    Operation.ROLLBACK: (ROLLBACK_GATE,),
    Operation.INSTANCE: (ApprovalGate.TENANT_INSTANTIATE,),
    Operation.LISTING: (ApprovalGate.MARKETPLACE,),
    Operation.LIFECYCLE: (ApprovalGate.GO_LIVE,),
}
"""The gates of an operation, in the order in which people meet them."""


def digest_of_operation(tenant: str, operation: Operation, content: Mapping[str, Any]) -> Sha256:
    """The digest of exactly what is approved. Another tenant's or operation's approval never has the same one."""
    return sha256_of_json({"tenant": tenant, "operation": str(operation), "content": dict(content)})

"""Whose an object is: what is not ours, or another tenant's, is never changed and never deleted."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.kubernetes.naming import FIELD_MANAGER, INSTANCE

MANAGED_BY = "app.kubernetes.io/managed-by"
TENANT = "tenant-runtime/tenant"
OWNER = "tenant-runtime/owner"

_OWNERS = uuid.UUID("6b1f7a0e-52a4-5c0e-9a5d-0f3d5a9c7e11")


def owner_uid(installation: str, tenant: TenantId, namespace: str) -> str:
    """The UID (RFC 9562, version 5) of one tenant's instance in one namespace by one installation.

    It follows from the three, so a process that knows nothing of an earlier one still knows what is its own.
    """
    return str(uuid.uuid5(_OWNERS, f"{installation}\n{tenant}\n{namespace}"))


def labels(tenant: TenantId) -> dict[str, str]:
    """The labels that every object of the tenant's instance bears."""
    return {"app.kubernetes.io/name": INSTANCE, MANAGED_BY: FIELD_MANAGER, TENANT: tenant}


def check_owned(live: Mapping[str, Any], tenant: TenantId, owner: str) -> None:
    """Raise ProvisioningError, naming the object, if it exists but is not this tenant's by this installation."""
    metadata = live["metadata"]
    found = metadata.get("labels") or {}
    if found.get(MANAGED_BY) != FIELD_MANAGER:
        what = "An object of this name exists and is not managed by the tenant runtime"
    elif found.get(TENANT) != tenant:
        what = "An object of this name exists and belongs to another tenant"
    elif (metadata.get("annotations") or {}).get(OWNER) != owner:
        what = "An object of this name exists and belongs to another installation of the tenant runtime"
    else:
        return
    raise ProvisioningError(
        what,
        where=place(live),
        remedy="It is left as it is. Delete or rename it yourself if it is not needed, then run this again.",
    )


def place(body: Mapping[str, Any]) -> str:
    """How an object is named in messages: kind, namespace, name."""
    metadata = body["metadata"]
    namespace = metadata.get("namespace")
    return f"{body['kind']} {namespace}/{metadata['name']}" if namespace else f"{body['kind']} {metadata['name']}"

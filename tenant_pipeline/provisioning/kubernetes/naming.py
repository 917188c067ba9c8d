"""The names of all that an instance consists of. They never change: another name would be another instance."""

from __future__ import annotations

import re

from tenant_pipeline.core.errors import ProvisioningError

INSTANCE = "nerve"
"""The name of the one object of its kind in a namespace; a namespace holds one instance."""

DENY_ALL = "deny-all"
ALLOW_DNS = "allow-dns"
ALLOW_GATEWAY = "allow-gateway"
ALLOW_DATABASE = "allow-database"

PORT = 8080
FIELD_MANAGER = "tenant-runtime"
"""Under this name the server keeps which fields are ours."""

_NAMESPACE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_RESERVED = re.compile(r"default|kube-.*", re.ASCII)


def check_namespace(namespace: str) -> str:
    """Return `namespace` if it can be a tenant's.

    Raises ProvisioningError where it is no DNS label (RFC 1123, at most 63 characters), or one of Kubernetes' own.
    """
    if not _NAMESPACE.fullmatch(namespace) or _RESERVED.fullmatch(namespace):
        raise ProvisioningError(
            "The namespace is no DNS label (RFC 1123), or belongs to Kubernetes itself",
            where="namespace of the specification",
            remedy="Use the name that the tenant registry gave.",
        )
    return namespace

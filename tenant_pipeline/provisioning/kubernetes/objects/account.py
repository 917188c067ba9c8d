"""The account that the instance runs as. It needs nothing of the Kubernetes API, so it may do nothing there."""

from __future__ import annotations

from tenant_pipeline.provisioning.kubernetes import naming
from tenant_pipeline.provisioning.kubernetes.objects.identity import Identity, KubernetesObject

_RBAC = "rbac.authorization.k8s.io"


def service_account(identity: Identity) -> KubernetesObject:
    """The account, whose token is mounted into no pod."""
    return identity.new("v1", "ServiceAccount", naming.INSTANCE) | {"automountServiceAccountToken": False}


def role(identity: Identity) -> KubernetesObject:
    """The role of the account, which allows nothing: so it is seen, and a rule added by someone is drift."""
    return identity.new(f"{_RBAC}/v1", "Role", naming.INSTANCE) | {"rules": []}


def role_binding(identity: Identity) -> KubernetesObject:
    """Gives the account its role."""
    return identity.new(f"{_RBAC}/v1", "RoleBinding", naming.INSTANCE) | {
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": naming.INSTANCE},
        "subjects": [{"kind": "ServiceAccount", "name": naming.INSTANCE, "namespace": identity.namespace}],
    }

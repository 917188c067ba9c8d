"""The namespace, in which the API server admits none but restricted pods (Pod Security Standards)."""

from __future__ import annotations

from tenant_pipeline.provisioning.kubernetes.objects.identity import Identity, KubernetesObject


def namespace(identity: Identity) -> KubernetesObject:
    """The instance's namespace with the `restricted` Pod Security Standard enforced, audited and warned of."""
    body = identity.new_namespace()
    for mode in ("enforce", "audit", "warn"):
        body["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}"] = "restricted"
        body["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}-version"] = "latest"
    return body

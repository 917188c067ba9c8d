"""The address of the instance within the cluster, and what of it must stay up while nodes are emptied."""

from __future__ import annotations

from tenant_pipeline.provisioning.kubernetes import naming, ownership
from tenant_pipeline.provisioning.kubernetes.objects.identity import Identity, KubernetesObject


def service(identity: Identity) -> KubernetesObject:
    """An address within the cluster only."""
    return identity.new("v1", "Service", naming.INSTANCE) | {
        "spec": {
            "type": "ClusterIP",
            "selector": ownership.labels(identity.tenant),
            "ports": [{"name": "http", "port": naming.PORT, "protocol": "TCP", "targetPort": "http"}],
        }
    }


def disruption_budget(identity: Identity, api_version: str) -> KubernetesObject:
    """At most one pod is taken away at a time, so that a single replica does not keep a node from being emptied.

    `api_version` is policy/v1, or policy/v1beta1 on servers older than 1.21.
    """
    return identity.new(api_version, "PodDisruptionBudget", naming.INSTANCE) | {
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": ownership.labels(identity.tenant)}}
    }

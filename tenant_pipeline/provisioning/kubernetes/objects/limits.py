"""How much an instance may use: per container, and in its whole namespace."""

from __future__ import annotations

from tenant_pipeline.provisioning.kubernetes import naming
from tenant_pipeline.provisioning.kubernetes.objects.identity import Identity, KubernetesObject
from tenant_pipeline.provisioning.provisioner import InstanceSpecification


def limits(specification: InstanceSpecification) -> dict[str, str]:
    """The most that one container may use."""
    return {
        "cpu": f"{specification.cpu_millicores}m",
        "ephemeral-storage": "128Mi",
        "memory": f"{specification.memory_mebibytes}Mi",
    }


def requests(specification: InstanceSpecification) -> dict[str, str]:
    """What one container is sure to have: all of its memory, and a quarter of its processor time."""
    return limits(specification) | {"cpu": f"{max(1, specification.cpu_millicores // 4)}m"}


def resource_quota(identity: Identity, replicas: int) -> KubernetesObject:
    """What the namespace may hold: the replicas and one more while they are replaced, one inner service, no volume.

    Memory and processor time are bounded by the limit range, per pod, and so in all. A second bound here would keep
    an instance from being made smaller: its older, larger pods would leave no room for the first new one.
    """
    body = identity.new("v1", "ResourceQuota", naming.INSTANCE)
    body["spec"] = {
        "hard": {
            "persistentvolumeclaims": "0",
            "pods": str(replicas + 1),
            "services": "1",
            "services.loadbalancers": "0",
            "services.nodeports": "0",
        }
    }
    return body


def limit_range(identity: Identity, specification: InstanceSpecification) -> KubernetesObject:
    """No pod in the namespace may ask for more than the instance's own, and no container go without limits."""
    most = limits(specification)
    body = identity.new("v1", "LimitRange", naming.INSTANCE)
    body["spec"] = {
        "limits": [
            {"type": "Container", "default": most, "defaultRequest": requests(specification), "max": most},
            {"type": "Pod", "max": most},
        ]
    }
    return body

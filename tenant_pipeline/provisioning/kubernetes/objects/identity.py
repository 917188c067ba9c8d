"""What every object of an instance begins with: its kind, its name and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.kubernetes import ownership

KubernetesObject = dict[str, Any]
"""An object as the API takes it: JSON."""


@dataclass(frozen=True)
class Identity:
    """Whose an instance is, and where: enough to claim its namespace or to recognise its objects."""

    tenant: TenantId
    namespace: str
    owner: str

    def new(self, api_version: str, kind: str, name: str) -> KubernetesObject:
        """An object in the instance's namespace, of which no more is said than whose it is."""
        return {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "labels": ownership.labels(self.tenant),
                "annotations": {ownership.OWNER: self.owner},
            },
        }

    def new_namespace(self) -> KubernetesObject:
        """The namespace itself, of which no more is said than whose it is."""
        namespace = self.new("v1", "Namespace", self.namespace)
        del namespace["metadata"]["namespace"]
        return namespace

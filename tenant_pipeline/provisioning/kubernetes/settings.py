"""What an operator decides about the cluster that the instances run in."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tenant_pipeline.core.errors import SettingsError


@dataclass(frozen=True)
class KubernetesSettings:
    """How instances run in a cluster.

    `installation` tells this installation from every other that uses the cluster; it never changes. `database_cidr`
    and `database_port` are the one place outside the cluster that instances may connect to. Namespaces with
    `gateway_namespace_labels` may call the instances; DNS is asked in namespaces with `dns_namespace_labels`.
    `kubeconfig` and `context` say which cluster; without a file it is the one that this process itself runs in, or
    else the user's own kubeconfig.

    Raises SettingsError for what would open more than is meant, or cannot work.
    """

    installation: str
    image: str
    database_cidr: str
    database_port: int = 5432
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    gateway_namespace_labels: Mapping[str, str] = field(default_factory=lambda: {"tenant-runtime/gateway": "true"})
    dns_namespace_labels: Mapping[str, str] = field(
        default_factory=lambda: {"kubernetes.io/metadata.name": "kube-system"}
    )
    replicas: int = 2
    kubeconfig: Path | None = None
    context: str | None = None

    def __post_init__(self) -> None:
        if not self.installation.strip():
            raise _wrong("installation", "Give this installation an id of its own, and never change it.")
        if not self.image or any(character.isspace() for character in self.image):
            raise _wrong("image", "Name the image of the instances, best by its digest.")
        try:
            network = ipaddress.ip_network(self.database_cidr)
        except ValueError:
            raise _wrong("database_cidr", "Give the database's network as address/prefix length.") from None
        if network.prefixlen == 0:
            raise _wrong("database_cidr", "It would let the instances connect to everywhere: give a narrower network.")
        if not 1 <= self.database_port <= 65535:
            raise _wrong("database_port", "Give a port from 1 to 65535.")
        if self.replicas < 1:
            raise _wrong("replicas", "Give 1 or more.")
        for name in ("gateway_namespace_labels", "dns_namespace_labels"):
            if not getattr(self, name):
                raise _wrong(name, "No label at all selects every namespace: give at least one.")


def _wrong(setting: str, remedy: str) -> SettingsError:
    return SettingsError("A setting of the Kubernetes backend cannot work", where=setting, remedy=remedy)

"""`apply` or `deprovision` in a process that kills itself (SIGKILL) before or after one of its writes.

What to do is read from standard input.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from kubernetes.config import new_client_from_config

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.kubernetes.backend import KubernetesProvisioner
from tenant_pipeline.provisioning.kubernetes.client.connection import ApiConnection
from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings
from tenant_pipeline.provisioning.provisioner import InstanceSpecification, Secret


class MortalConnection(ApiConnection):
    """Dies at one point: `before PATCH Secret`, `after POST Namespace`, …, at the first such request."""

    point = ""

    def request(self, method: str, path: str, *, place: str, **others: Any) -> dict[str, Any]:
        dry = "dryRun" in (others.get("query") or {})
        request = f"{method} {place.split()[0]}"
        if not dry and self.point == f"before {request}":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = super().request(method, path, place=place, **others)
        if not dry and self.point == f"after {request}":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def main() -> None:
    """Do it, and die on the way."""
    told = json.load(sys.stdin)
    settings = KubernetesSettings(**told["settings"])
    specification = told["specification"]
    specification["tenant"] = TenantId(specification["tenant"])
    for secret in ("connection", "access_token"):
        specification[secret] = Secret(specification[secret])
    connection = MortalConnection(new_client_from_config(str(Path(told["kubeconfig"])), persist_config=False))
    connection.point = told["point"]
    provisioner, instance = KubernetesProvisioner(settings, connection), InstanceSpecification(**specification)
    if told["operation"] == "apply":
        provisioner.apply(instance, timeout=told["timeout"])
    else:
        provisioner.deprovision(instance.tenant, instance.namespace, timeout=told["timeout"])


if __name__ == "__main__":
    main()

"""A pod may take its time to start: what was approved is not taken back while the cluster itself still waits for it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.provisioning.kubernetes.backend import KubernetesProvisioner
from tenant_pipeline.provisioning.kubernetes.objects.instance import objects
from tenant_pipeline.services.going_live import instances
from tests.unit.provisioning.test_kubernetes_objects import IDENTITY, SETTINGS, SPECIFICATION


def test_an_instance_is_waited_for_longer_than_the_cluster_lets_it_take(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def provision(*_: Any, timeout: float, **__: Any) -> None:
        waited.append(timeout)
        raise ProvisioningError("That was all that is asked here")

    for name, given in {"provision": provision, "_unfinished": lambda *_: None, "first_ready": lambda *_: None}.items():
        monkeypatch.setattr(instances, name, given)
    with pytest.raises(ProvisioningError, match="all that is asked"):
        instances.provision_approved(
            cast(Any, None), SPECIFICATION.tenant, run_by="run", backend=KubernetesProvisioner(SETTINGS)
        )
    (deployment,) = (body for body in objects(IDENTITY, SPECIFICATION, SETTINGS) if body["kind"] == "Deployment")
    assert waited[0] > deployment["spec"]["progressDeadlineSeconds"]

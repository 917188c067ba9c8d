"""The same saga over a real API server: killed at each step it is resumed, or taken back to nothing left over."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.kubernetes.backend import KubernetesProvisioner
from tenant_pipeline.provisioning.kubernetes.client.connection import open_connection
from tenant_pipeline.provisioning.provisioner import Phase
from tenant_pipeline.services import registry
from tenant_pipeline.services.provisioning.backends import backend_of
from tenant_pipeline.services.provisioning.operations import State, operations
from tenant_pipeline.services.provisioning.saga import deprovision, provision
from tenant_pipeline.services.provisioning.specification import plan_provisioning, specification_of
from tenant_pipeline.services.provisioning.steps import STEPS
from tenant_pipeline.services.runtime import Runtime
from tests.integration.provisioned import approved, footprint, killed_at_step, take_back
from tests.provisioning.cluster import ClusterUnderTest, cluster_under_test

pytestmark = pytest.mark.slow

NAMES = [step.name for step in STEPS]


@pytest.fixture(scope="module")
def cluster() -> Iterator[ClusterUnderTest]:
    with cluster_under_test() as under_test:
        yield under_test


@pytest.fixture
def runtime(own_installation: Runtime) -> Runtime:
    return own_installation


@pytest.fixture
def tenant(runtime: Runtime, cluster: ClusterUnderTest) -> Iterator[TenantId]:
    made = TenantId(f"pod-{uuid.uuid4().hex[:8]}")
    name = {"th": "หอ", "en": "Hall", "zh": "会堂"}
    registry.register_tenant(runtime, made, name=name, domain="hall.example", tier="pilot", actor="test")
    yield made
    cluster.provisioner.deprovision(made, f"tenant-{made}", timeout=cluster.timeout)
    runtime.database.drop_instance_login(made)


@pytest.mark.parametrize("step", NAMES)
def test_killed_after_a_step_it_is_taken_back_to_nothing_or_resumed(
    runtime: Runtime, cluster: ClusterUnderTest, tenant: TenantId, step: str
) -> None:
    def backend(_: Runtime) -> KubernetesProvisioner:
        return KubernetesProvisioner(cluster.settings, open_connection(cluster.kubeconfig, None))

    before = footprint(runtime)
    killed_at_step(runtime, tenant, "provision", step, "after", backend=backend)
    assert take_back(runtime, tenant, backend(runtime)).outcome == "compensated"
    assert footprint(runtime) == before
    assert cluster.leftovers(specification_of(runtime, tenant)) == []

    killed_at_step(runtime, tenant, "provision", step, "after", backend=backend)
    done = provision(
        runtime, tenant, backend=backend(runtime), approvals=[], requested_by="ann", verify=approved, timeout=60
    )
    assert done.outcome == "done"
    assert [each.step for each in done.steps if each.state is State.DONE] == [*NAMES, "done"]
    assert cluster.provisioner.status(tenant, done.namespace).phase is Phase.HEALTHY
    with runtime.database.platform() as connection:
        assert len(operations(connection, tenant)) == 2

    down = deprovision(
        runtime, tenant, backend=backend(runtime), approvals=[], requested_by="ann", verify=approved, timeout=60
    )
    assert down.outcome == "done"
    assert cluster.leftovers(specification_of(runtime, tenant)) == []


def test_the_cluster_is_the_one_that_the_configuration_names(
    runtime: Runtime, cluster: ClusterUnderTest, tenant: TenantId, tmp_path: Path
) -> None:
    configuration = tmp_path / "cluster.yaml"
    named = {
        "installation": cluster.settings.installation,
        "image": cluster.settings.image,
        "database_cidr": cluster.settings.database_cidr,
        "kubeconfig": str(cluster.kubeconfig),
    }
    configuration.write_text(yaml.safe_dump(named), encoding="utf-8")
    settings = runtime.settings.model_copy(update={"kubernetes_configuration": configuration})
    backend = backend_of(replace(runtime, settings=settings))
    assert backend.status(tenant, f"tenant-{tenant}").phase is Phase.ABSENT
    assert plan_provisioning(runtime, tenant, backend).wanted.backend == "kubernetes"

    configuration.write_text(yaml.safe_dump({**named, "database_cidr": "0.0.0.0/0", "colour": "red"}), encoding="utf-8")
    with pytest.raises(SettingsError) as refusal:
        backend_of(replace(runtime, settings=settings))
    assert refusal.value.where == str(configuration)

"""A pod may take its time to start: what was approved is not taken back while the cluster itself still waits for it."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from tenant_pipeline.cli import instance as command
from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.lifecycle import TenantState
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.kubernetes.backend import KubernetesProvisioner
from tenant_pipeline.provisioning.kubernetes.objects.instance import objects
from tenant_pipeline.provisioning.provisioner import InstanceSpecification, InstanceStatus, Phase, StillStartingError
from tenant_pipeline.services.going_live import instances
from tenant_pipeline.services.provisioning import rotation
from tests.unit.provisioning.specified_instance import IDENTITY, SETTINGS, SPECIFICATION

RUNTIME = cast(
    Any,
    SimpleNamespace(
        database=SimpleNamespace(platform=nullcontext, rotate_instance_login=lambda _: None),
        audit=SimpleNamespace(append=lambda *_: None),
    ),
)


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


@pytest.mark.parametrize(("act", "does"), [("rotate", "rotate_credentials"), ("deprovision", "take_down")])
def test_the_commands_wait_as_long_unless_they_are_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, act: str, does: str
) -> None:
    waited: list[float] = []

    def wait(*_: Any, timeout: float, **__: Any) -> InstanceStatus:
        waited.append(timeout)
        return InstanceStatus(SPECIFICATION.tenant, Phase.HEALTHY)

    patched = {
        "opened": lambda: nullcontext(RUNTIME),
        "backend_of": lambda _: KubernetesProvisioner(SETTINGS),
        "require_role": lambda *_: None,
        does: wait,
    }
    for name, given in patched.items():
        monkeypatch.setattr(command, name, given)
    asked = [act, "--tenant", SPECIFICATION.tenant, "--person", "ann", "--role", "founder"]
    for arguments in (asked, [*asked, "--seconds", "5"]):
        assert CliRunner().invoke(command.app, arguments, catch_exceptions=False).exit_code == 0
    assert waited == [KubernetesProvisioner.apply_seconds, 5]


class StillStarting(KubernetesProvisioner):
    """A cluster that has taken all of the instance, and whose pods take their time."""

    def status(self, tenant: TenantId, namespace: str) -> InstanceStatus:
        return InstanceStatus(tenant, Phase.HEALTHY)

    def apply(self, specification: InstanceSpecification, *, timeout: float) -> InstanceStatus:
        raise StillStartingError("Not healthy in time", remedy="Run this again.")


def test_where_only_the_waiting_for_new_secrets_failed_nobody_is_sent_to_change_them_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patched = {
        "exclusive": lambda *_: nullcontext(),
        "specification_of": lambda *_: SPECIFICATION,
        "state_of": lambda *_: TenantState.LIVE,
        "latest_operation": lambda *_: SimpleNamespace(backend=StillStarting.name, left_nothing=False),
        "_is_to_stand": lambda *_: True,
    }
    for name, given in patched.items():
        monkeypatch.setattr(rotation, name, given)
    with pytest.raises(StillStartingError, match="Not healthy in time") as told:
        rotation.rotate_credentials(
            RUNTIME, SPECIFICATION.tenant, backend=StillStarting(SETTINGS), requested_by="ann", timeout=1
        )
    assert "instance status" in told.value.remedy
    assert "again would begin anew" in told.value.remedy

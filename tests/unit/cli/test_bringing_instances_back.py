"""`up` serves while it brings instances back, and ends with none of them half there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tenant_pipeline.cli import up
from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import InstanceStatus, Phase

NOTHING: Any = None


def test_whoever_ends_up_waits_for_the_instance_under_way_and_no_other_is_begun(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = threading.Event()
    ended: list[str] = []

    def one_after_another(runtime: object, backend: object, *, timeout: float) -> Iterator[InstanceStatus]:
        for tenant in (TenantId("hall-north"), TenantId("hall-south")):
            begun.set()
            time.sleep(0.5)
            ended.append(tenant)
            yield InstanceStatus(tenant, Phase.HEALTHY)

    monkeypatch.setattr(up, "bring_back", one_after_another)
    with up._bringing_instances_back(NOTHING, NOTHING):
        assert begun.wait(5)
    assert ended == ["hall-north"]
    assert "Nerve of hall-north: healthy" in capsys.readouterr().err


def test_where_the_backend_is_out_of_reach_up_says_so_in_a_line_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(runtime: object, backend: object, *, timeout: float) -> Iterator[InstanceStatus]:
        raise ProvisioningError("The cluster is away")

    monkeypatch.setattr(up, "bring_back", away)
    with up._bringing_instances_back(NOTHING, NOTHING):
        pass
    assert capsys.readouterr().err.strip() == "Instances are left to the sensor `clock`: The cluster is away."

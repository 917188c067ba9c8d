"""The API as it runs on Kubernetes: in pods without an account in the cluster that the instances are in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.provisioning.operations import DONE, Act, State, begin, record
from tenant_pipeline.services.registry import register_tenant, update_tenant
from tenant_pipeline.services.runtime import Runtime
from tests.api.conftest import serving
from tests.integration.conflict_statements import Sources
from tests.integration.releasable import approve_everything, go_live, make_releasable

PIER = TenantId("pier-halls")


@pytest.fixture
def pod(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of such a pod, with a live tenant whose instance runs in the cluster."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "9")
    configuration = tmp_path / "instances.yaml"
    named = {"installation": "city", "image": "registry.example/nerve:1", "database_cidr": "10.9.0.0/24"}
    configuration.write_text(yaml.safe_dump(named), encoding="utf-8")
    inside = replace(runtime, settings=runtime.settings.model_copy(update={"kubernetes_configuration": configuration}))
    name = {"th": "ท่าเรือ", "en": "Pier", "zh": "码头"}
    register_tenant(inside, PIER, name=name, domain="pier.example", tier="pilot", actor="test")
    go_live(make_releasable(Sources(inside, PIER)))
    update_tenant(inside, PIER, person="anan", pdpa_agreement_ref="DPA-1")
    with inside.database.platform() as connection:
        operation = begin(connection, PIER, Act.PROVISION, "kubernetes", f"tenant-{PIER}", "0" * 64, [], "run")
    record(inside, operation, DONE, State.DONE, {}, "run")
    with serving(inside) as url:
        yield url


def test_the_state_changes_the_instance_follows_and_another_one_can_be_asked_for(pod: str, runtime: Runtime) -> None:
    def asked(person: str, path: str, body: dict[str, Any]) -> httpx.Response:
        token = LocalIssuer(runtime).access_token(person, PIER, timedelta(hours=1))
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=pod, headers=headers, trust_env=False, timeout=300) as client:
            return client.post(f"/api/tenant/{PIER}{path}", json=body)

    instance = asked("kanya", "/publish", {"operation": "instance"})
    assert (instance.status_code, instance.json()["requests"][0]["operation"]) == (202, "instance")
    suspended = asked("gov", "/transitions", {"to": "suspended", "reason": "Renovation"})
    assert (suspended.status_code, suspended.json()["state"]) == (200, "suspended")
    left = {"to": "clock", "why": "This pod has no account in the cluster"}
    assert suspended.json()["instance_left"] == left
    assert asked("kanya", "/return", {"reason": "Open again"}).status_code == 202
    approve_everything(runtime, PIER)
    returned = asked("gov", "/transitions", {"to": "live", "reason": "Open again"})
    assert (returned.status_code, returned.json()["state"]) == (200, "live")
    assert returned.json()["instance_left"] is not None
    with runtime.database.tenant(PIER) as connection:
        found = connection.execute(
            "SELECT action, actor FROM runtime.audit_log WHERE action LIKE 'instance.left%' ORDER BY sequence"
        ).fetchall()
    assert [each["actor"] for each in found] == ["gov", "gov"]

"""Where the instances' backend is out of reach, the tenant's state changes all the same, and its instance follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import dagster as dg
import psutil
import psycopg
import pytest
import yaml

from tenant_pipeline.cli.doctor.finding import Patient, Verdict
from tenant_pipeline.cli.doctor.work import instances
from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.lifecycle import TenantState
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.local_process.backend import LocalProcesses
from tenant_pipeline.provisioning.local_process.generation import generations
from tenant_pipeline.provisioning.provisioner import InstanceSpecification, InstanceStatus, Phase, Plan
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors import clock as module
from tenant_pipeline.services import lifecycle, registry
from tenant_pipeline.services.approvals.requesting import request_operation
from tenant_pipeline.services.going_live.instances import request_instance
from tenant_pipeline.services.provisioning.operations import COMPENSATED, DONE, Act, State, begin, operations, record
from tenant_pipeline.services.provisioning.rotation import rotate_credentials
from tenant_pipeline.services.provisioning.specification import wanted_instance
from tenant_pipeline.services.provisioning.standing import bring_back
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conflict_statements import Sources
from tests.integration.provisioned import killed_at_step, small_instances, take_down
from tests.integration.releasable import approve_everything, brought_up, publish_draft, releasable
from tests.registered import registered


class OutOfReach(LocalProcesses):
    """A backend that answers nothing, as a cluster does whose API server is away."""

    def plan(self, specification: InstanceSpecification) -> Plan:
        self._refuse()

    def apply(self, specification: InstanceSpecification, *, timeout: float) -> InstanceStatus:
        self._refuse()

    def status(self, tenant: TenantId, namespace: str) -> InstanceStatus:
        self._refuse()

    def standing(self) -> Mapping[str, bool]:
        self._refuse()

    def deprovision(self, tenant: TenantId, namespace: str, *, timeout: float) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ProvisioningError("The cluster is away", remedy="Wait.")


@pytest.fixture
def runtime(own_installation: Runtime) -> Runtime:
    return own_installation


@pytest.fixture
def backend(runtime: Runtime) -> LocalProcesses:
    return small_instances(runtime)


@pytest.fixture
def away(runtime: Runtime) -> OutOfReach:
    return OutOfReach(runtime.settings.instances_directory)


@pytest.fixture
def served(runtime: Runtime, backend: LocalProcesses) -> Iterator[Sources]:
    """A live tenant with an instance that stands."""
    made = releasable(runtime)
    publish_draft(runtime, made.tenant)
    assert brought_up(runtime, made.tenant, backend)["state"] == "live"
    yield made
    take_down(runtime, made.tenant, backend)


@pytest.fixture
def tick(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Callable[[LocalProcesses], list[str]]:
    """One evaluation of the sensor `clock` over a backend; what it warned of."""

    def evaluated(backend: LocalProcesses) -> list[str]:
        monkeypatch.setattr(module, "backend_of", lambda _: backend)
        context = dg.build_sensor_context(resources={"runtime": RuntimeAccess(runtime)})
        warned: list[str] = []
        monkeypatch.setattr(context.log, "warning", warned.append)
        module.clock(context)
        return warned

    return evaluated


def suspend(runtime: Runtime, tenant: TenantId, backend: LocalProcesses) -> lifecycle.StateChanged:
    return lifecycle.step_back(
        runtime, tenant, TenantState.SUSPENDED, person="gov", role="platform-governance", reason="Dispute",
        backend=backend,
    )  # fmt: skip


def phase(tenant: TenantId, backend: LocalProcesses) -> Phase:
    return backend.status(tenant, f"tenant-{tenant}").phase


def audited(runtime: Runtime, tenant: TenantId, action: str) -> list[tuple[str, Any]]:
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute("SELECT actor, details FROM runtime.audit_log WHERE action = %s", (action,))
        return [(row["actor"], row["details"]) for row in rows.fetchall()]


def set_state(runtime: Runtime, tenant: TenantId, state: str) -> None:
    """As a process that was killed right after its transaction would have left it."""
    with runtime.database.platform() as connection:
        connection.execute("UPDATE runtime.tenants SET status = %s WHERE id = %s", (state, tenant))


def test_whoever_suspends_out_of_reach_of_the_instance_is_told_and_the_clock_lays_it_to_rest(
    runtime: Runtime, served: Sources, backend: LocalProcesses, away: OutOfReach, tick: Callable[..., list[str]]
) -> None:
    tenant = served.tenant
    changed = suspend(runtime, tenant, away)
    assert changed.tenant["status"] == "suspended"
    assert changed.instance_left == lifecycle.InstanceLeft("clock", "The cluster is away")
    ((actor, details),) = audited(runtime, tenant, "instance.left-to-clock")
    assert (actor, details) == ("gov", {"state": "suspended", "why": "The cluster is away"})
    assert phase(tenant, backend) is Phase.HEALTHY
    assert "The cluster is away" in tick(away)[-1]
    assert tick(backend) == []
    assert phase(tenant, backend) is Phase.ABSENT
    assert [actor for actor, _ in audited(runtime, tenant, "instance.rested")] == ["clock"]


def test_whoever_returns_out_of_reach_of_the_instance_is_live_and_the_clock_brings_it_back(
    runtime: Runtime, served: Sources, backend: LocalProcesses, away: OutOfReach, tick: Callable[..., list[str]]
) -> None:
    tenant = served.tenant
    assert suspend(runtime, tenant, backend).instance_left is None
    content = lifecycle.lifecycle_content(runtime, tenant, TenantState.LIVE)
    request_operation(runtime, tenant, Operation.LIFECYCLE, content, requested_by="kanya", reason="Settled")
    approve_everything(runtime, tenant)
    changed = lifecycle.return_to_service(runtime, tenant, person="anan", backend=away)
    assert (changed.tenant["status"], changed.instance_left) == (
        "live", lifecycle.InstanceLeft("clock", "The cluster is away"),
    )  # fmt: skip
    assert [actor for actor, _ in audited(runtime, tenant, "instance.left-to-clock")] == ["anan"]
    assert phase(tenant, backend) is Phase.ABSENT
    assert tick(backend) == []
    assert phase(tenant, backend) is Phase.HEALTHY
    assert audited(runtime, tenant, "instance.brought-back") == [("clock", {"phase": "healthy"})]


def test_what_a_return_that_was_killed_left_away_is_brought_back_once(
    runtime: Runtime, served: Sources, backend: LocalProcesses, tick: Callable[..., list[str]]
) -> None:
    tenant = served.tenant
    suspend(runtime, tenant, backend)
    set_state(runtime, tenant, "live")
    for _ in range(2):
        assert tick(backend) == []
        assert phase(tenant, backend) is Phase.HEALTHY
    assert len(audited(runtime, tenant, "instance.brought-back")) == 1


def test_an_instance_whose_supervisor_was_killed_is_told_and_is_brought_back_once(
    runtime: Runtime, served: Sources, backend: LocalProcesses, tick: Callable[..., list[str]]
) -> None:
    tenant = served.tenant
    supervisor = generations(runtime.settings.instances_directory / f"tenant-{tenant}")[-1].supervisor()
    assert supervisor is not None
    process = psutil.Process(supervisor.pid)
    process.kill()
    process.wait(20)
    patient = Patient(runtime.settings, runtime.database.conninfo(), lives=True)
    assert f"1 instances do not stand: {tenant}" in instances(patient).says
    for _ in range(2):
        assert tick(backend) == []
        assert phase(tenant, backend) is Phase.HEALTHY
    assert instances(patient).verdict is Verdict.FINE
    assert len(audited(runtime, tenant, "instance.brought-back")) == 1


def test_an_instance_that_was_taken_away_or_is_being_taken_away_is_not_brought_back(
    runtime: Runtime, served: Sources, backend: LocalProcesses, tick: Callable[..., list[str]]
) -> None:
    tenant = served.tenant
    killed_at_step(runtime, tenant, "deprovision", "instance_removed", "after", backend=small_instances)
    assert tick(backend) == []
    assert phase(tenant, backend) is Phase.ABSENT
    take_down(runtime, tenant, backend)
    assert tick(backend) == []
    assert phase(tenant, backend) is Phase.ABSENT


def test_an_instance_that_was_taken_down_because_isolation_was_broken_is_not_brought_back(
    runtime: Runtime, served: Sources, backend: LocalProcesses, tick: Callable[..., list[str]]
) -> None:
    tenant = served.tenant
    backend.deprovision(tenant, f"tenant-{tenant}", timeout=20)
    with runtime.database.platform() as connection:
        (stands,) = operations(connection, tenant)
        change = begin(
            connection, tenant, Act.PROVISION, backend.name, f"tenant-{tenant}", stands.plan_digest, [], "run"
        )
    record(runtime, change, "failed", State.FAILED, {"reason": "It read", "isolation_broken": True}, "run")
    for killed in (True, False):
        if not killed:
            record(runtime, change, COMPENSATED, State.DONE, {}, "run")
        assert tick(backend) == []
        assert list(bring_back(runtime, backend, timeout=20)) == []
        assert phase(tenant, backend) is Phase.ABSENT


def test_an_instance_whose_isolation_is_broken_is_laid_to_rest_where_whoever_took_it_down_was_killed(
    runtime: Runtime, served: Sources, backend: LocalProcesses, tick: Callable[..., list[str]]
) -> None:
    tenant = served.tenant
    with runtime.database.platform() as connection:
        (stands,) = operations(connection, tenant)
        change = begin(
            connection, tenant, Act.PROVISION, backend.name, f"tenant-{tenant}", stands.plan_digest, [], "run"
        )
    assert tick(backend) == []
    assert phase(tenant, backend) is Phase.HEALTHY
    record(runtime, change, "failed", State.FAILED, {"reason": "It read", "isolation_broken": True}, "run")
    assert tick(backend) == []
    assert phase(tenant, backend) is Phase.ABSENT
    assert tick(backend) == []
    assert list(bring_back(runtime, backend, timeout=20)) == []
    assert phase(tenant, backend) is Phase.ABSENT


def test_an_instance_that_rests_or_is_to_rest_gets_another_password_and_is_not_brought_up_by_it(
    runtime: Runtime, served: Sources, backend: LocalProcesses, tick: Callable[..., list[str]]
) -> None:
    tenant, namespace = served.tenant, f"tenant-{served.tenant}"

    def rotated() -> InstanceStatus:
        before = runtime.database.instance_conninfo(tenant)
        now = rotate_credentials(runtime, tenant, backend=backend, requested_by="ann", timeout=20)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(before)
        psycopg.connect(runtime.database.instance_conninfo(tenant)).close()
        return now

    def holds_the_new_ones() -> bool:
        return backend.credentials(tenant, namespace)[0].value == runtime.database.instance_conninfo(tenant)

    def brought_onto_the_new_ones() -> bool:
        assert rotated().phase is Phase.HEALTHY
        return holds_the_new_ones()

    set_state(runtime, tenant, "suspended")
    assert not brought_onto_the_new_ones()
    assert tick(backend) == []
    assert rotated().phase is Phase.ABSENT
    set_state(runtime, tenant, "live")
    assert rotated().phase is Phase.ABSENT
    assert tick(backend) == []
    assert holds_the_new_ones()
    assert brought_onto_the_new_ones()
    with runtime.database.platform() as connection:
        (stands,) = operations(connection, tenant)
        change = begin(connection, tenant, Act.PROVISION, backend.name, namespace, stands.plan_digest, [], "run")
    assert brought_onto_the_new_ones()
    record(runtime, change, "failed", State.FAILED, {"reason": "It read", "isolation_broken": True}, "run")
    assert not brought_onto_the_new_ones()
    assert [actor for actor, _ in audited(runtime, tenant, "instance.rotate")] == ["ann"] * 6


def test_an_instance_that_has_changed_since_it_was_approved_is_asked_for_and_not_brought_back(
    runtime: Runtime, served: Sources, backend: LocalProcesses, tick: Callable[..., list[str]]
) -> None:
    tenant = served.tenant
    suspend(runtime, tenant, backend)
    with runtime.database.platform() as connection:
        operation = begin(connection, tenant, Act.PROVISION, backend.name, f"tenant-{tenant}", "0" * 64, [], "run")
    record(runtime, operation, DONE, State.DONE, {}, "run")
    content = lifecycle.lifecycle_content(runtime, tenant, TenantState.LIVE)
    request_operation(runtime, tenant, Operation.LIFECYCLE, content, requested_by="kanya", reason="Settled")
    approve_everything(runtime, tenant)
    left = lifecycle.return_to_service(runtime, tenant, person="anan", backend=backend).instance_left
    assert left is not None
    assert left.to == "request"
    assert "changed since it was approved" in tick(backend)[-1]
    assert phase(tenant, backend) is Phase.ABSENT


def test_where_the_backend_is_out_of_reach_whoever_brings_all_back_waits_for_it_once_and_tries_none(
    runtime: Runtime, away: OutOfReach, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants = [registered(runtime, f"away-{number}") for number in range(3)]
    for tenant in tenants:
        runtime.database.create_instance_login(tenant)
        digest = wanted_instance(runtime, tenant, away).digest()
        with runtime.database.platform() as connection:
            operation = begin(connection, tenant, Act.PROVISION, away.name, f"tenant-{tenant}", digest, [], "run")
        record(runtime, operation, DONE, State.DONE, {}, "run")
        set_state(runtime, tenant, "live")
    tried: list[TenantId] = []
    monkeypatch.setattr(away, "apply", lambda specification, *, timeout: tried.append(specification.tenant))
    with pytest.raises(ProvisioningError, match="The cluster is away"):
        list(bring_back(runtime, away, timeout=20))
    assert tried == []
    for tenant in tenants:
        set_state(runtime, tenant, "draft")


@pytest.fixture
def in_a_pod_of_the_api(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """The installation as a pod sees it that was given no account in the cluster."""
    configuration = tmp_path / "instances.yaml"
    named = {"installation": "city", "image": "registry.example/nerve:1", "database_cidr": "10.9.0.0/24"}
    configuration.write_text(yaml.safe_dump(named), encoding="utf-8")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "9")
    settings = runtime.settings.model_copy(update={"kubernetes_configuration": configuration})
    return replace(runtime, settings=settings)


def test_to_ask_for_an_instance_takes_no_account_in_the_cluster(in_a_pod_of_the_api: Runtime) -> None:
    made = releasable(in_a_pod_of_the_api)
    publish_draft(in_a_pod_of_the_api, made.tenant)
    registry.update_tenant(in_a_pod_of_the_api, made.tenant, person="anan", pdpa_agreement_ref="DPA-1")
    asked = request_instance(in_a_pod_of_the_api, made.tenant, requested_by="kanya")
    assert [str(each.request.gate) for each in asked] == ["gate-tenant-instantiate"]

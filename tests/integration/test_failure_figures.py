"""What fails is told: runs by job and by whose fault it was, ticks by sensor, stopped sources by code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, TickData, TickStatus
from dagster._utils.error import SerializableErrorInfo

from tenant_pipeline.assets.materialise import ENDED_BY_TAG
from tenant_pipeline.cli.dagster_environment import dagster_environment
from tenant_pipeline.cli.doctor.finding import Patient, Verdict
from tenant_pipeline.cli.doctor.work import failed_runs, line, stopped_sources
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import ProcessLostError, StageFaultError
from tenant_pipeline.core.gate import Band, Gate, GateVerdict
from tenant_pipeline.core.setback import Ending
from tenant_pipeline.services.erasure.requests import request_erasure
from tenant_pipeline.services.erasure.whole_tenant import erase_tenant
from tenant_pipeline.services.gates import record_verdict
from tenant_pipeline.services.halts import halt, put_back
from tenant_pipeline.services.observation.figures import read_figures
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime
from tests.integration.feed_steps import registered_tenant
from tests.integration.line_steps import new_sources

_ORIGIN = RemoteInstigatorOrigin(
    RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("tenant_pipeline.definitions"), "__repository__"), "feeds"
)


@dg.op
def fail() -> None:
    """Fails."""
    raise ValueError


@dg.job
def failing() -> None:
    """A run that fails."""
    fail()


@pytest.fixture
def instance(own_installation: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster as the installation has it, in PostgreSQL."""
    for name, value in dagster_environment(own_installation).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        yield instance


def _told(runtime: Runtime, name: str) -> dict[str, float]:
    return {" ".join(each.labels.values()): each.value for each in read_figures(runtime) if each.name == name}


def test_failed_runs_and_ticks_and_the_oldest_run_are_told(
    own_installation: Runtime, instance: dg.DagsterInstance
) -> None:
    runtime = own_installation
    patient = Patient(runtime.settings, runtime.database.conninfo(), lives=True)
    assert failed_runs(patient).verdict is Verdict.FINE
    assert _told(runtime, "tenant_runtime_oldest_run_seconds") == {"": 0.0}
    for by in ("sources", "outage"):
        run = instance.create_run_for_job(failing)
        instance.report_run_failed(run)
        instance.add_run_tags(run.run_id, {ENDED_BY_TAG: by})
    assert failed_runs(patient).verdict is Verdict.FINE, "outcomes, and what has a figure of its own"
    failing.execute_in_process(instance=instance, raise_on_error=False)
    state = InstigatorState(_ORIGIN, InstigatorType.SENSOR, InstigatorStatus.RUNNING)
    instance.add_instigator_state(state)
    said = SerializableErrorInfo("it failed", [], None)
    for status in (TickStatus.FAILURE, TickStatus.FAILURE, TickStatus.SKIPPED):
        instance.create_tick(
            TickData(
                instigator_origin_id=_ORIGIN.get_id(), instigator_name="feeds", instigator_type=InstigatorType.SENSOR,
                status=status, error=said if status is TickStatus.FAILURE else None, timestamp=time.time(),
                selector_id=state.selector_id,
            )
        )  # fmt: skip
    failed = _told(runtime, "tenant_runtime_runs_failed_last_hour")
    assert failed == {"failing sources": 1, "failing outage": 1, "failing fault": 1}
    assert _told(runtime, "tenant_runtime_ticks_failed_last_hour") == {"feeds": 2}
    found = failed_runs(patient)
    assert found.verdict is Verdict.WRONG
    assert "1 runs of failing" in found.says
    assert "2 ticks of feeds" in found.says


def test_connections_of_whomever_count(own_installation: Runtime) -> None:
    runtime = own_installation

    def figure() -> float:
        (connections,) = _told(runtime, "tenant_runtime_database_connections").values()
        return connections

    before = figure()
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(psycopg.connect(runtime.database.conninfo()))
        assert figure() >= before + 5, "ten more, though some of the server's own may have gone meanwhile"


def test_stopped_and_set_back_sources_are_told_by_code(own_installation: Runtime) -> None:
    runtime = own_installation
    tenant = registered_tenant(runtime)
    stopped, lost = new_sources(runtime, tenant, 2, "running")
    names = ("tenant_runtime_sources_stopped", "tenant_runtime_sources_set_back")
    before = [_told(runtime, name) for name in names]
    halt(runtime, tenant, stopped, "map", KeyError("x"), run_id="r")
    put_back(runtime, tenant, lost, Ending.LOST, ProcessLostError("x"), run_id="r")
    after = [_told(runtime, name) for name in names]
    for code, was, now in zip((StageFaultError.code, ProcessLostError.code), before, after, strict=True):
        assert now[code] == was.get(code, 0) + 1


def test_what_a_tenant_out_of_service_has_in_line_or_stopped_alarms_nobody(own_installation: Runtime) -> None:
    runtime = own_installation
    patient = Patient(runtime.settings, runtime.database.conninfo(), lives=True)
    tenant = registered_tenant(runtime)
    (waiting,), (closed,) = new_sources(runtime, tenant, 1), new_sources(runtime, tenant, 1, "stopped")
    with runtime.database.tenant(tenant) as connection:
        connection.execute(
            "UPDATE runtime.tenant_sources SET queued_at = now() - interval '2 hours' WHERE tenant_id = %s AND id = %s",
            (tenant, waiting),
        )
        verdict = GateVerdict(Gate.QUALITY, Band.FAIL, ("rows-rejected",))
        record_verdict(connection, tenant, closed, Sha256("c" * 64), verdict)

    def alarms() -> tuple[bool, bool, bool, Verdict, bool]:
        (oldest,) = _told(runtime, "tenant_runtime_oldest_waiting_source_seconds").values()
        return (
            oldest > 7000, "" in _told(runtime, "tenant_runtime_sources_stopped"),
            "quality" in _told(runtime, "tenant_runtime_gates_closed"), line(patient).verdict,
            "unrecorded" in stopped_sources(patient).says,
        )  # fmt: skip

    def has_state(state: str) -> None:
        with runtime.database.platform() as connection:
            connection.execute("UPDATE runtime.tenants SET status = %s WHERE id = %s", (state, tenant))

    in_service, quiet = (True, True, True, Verdict.WRONG, True), (False, False, False, Verdict.FINE, False)
    assert alarms() == in_service
    for state in ("suspended", "archived"):
        has_state(state)
        assert alarms() == quiet
    has_state("draft")
    assert alarms() == in_service
    grant_role(runtime, tenant, person="anan", role="tenant-admin", granted_by="test")
    grant_role(runtime, tenant, person="gov", role="platform-governance", granted_by="test")
    request = request_erasure(runtime, tenant, person="anan", role="tenant-admin", reason="The tenant leaves")
    erase_tenant(runtime, tenant, request, person="gov", role="platform-governance")
    assert alarms() == quiet

"""What a tenant costs is what was measured of it; a budget alerts once for each threshold."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from tenant_pipeline.cli import cost as command
from tenant_pipeline.core.cost.month import Month
from tenant_pipeline.core.errors import InputError, NotAllowedError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import roles
from tenant_pipeline.services.cost.billing import cost_of
from tenant_pipeline.services.cost.budgets import alerts_of, raise_alerts, set_budget
from tenant_pipeline.services.cost.measuring import usage_of
from tenant_pipeline.services.observation.figures import read_figures
from tenant_pipeline.services.provisioning.operations import COMPENSATED, DONE, Act, State, begin, record
from tenant_pipeline.services.provisioning.saga import deprovision, provision
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.integration.cost_steps import record_stage_run
from tests.integration.provisioned import approved, small_instances
from tests.registered import registered


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def tenant(runtime: Runtime) -> TenantId:
    made = registered(runtime, f"cost-{uuid.uuid4().hex[:8]}")
    roles.grant_role(runtime, made, person="anan", role="tenant-admin", granted_by="test")
    roles.grant_role(runtime, made, person="rin", role="reviewer", granted_by="test")
    return made


def test_runs_and_rows_count_in_the_month_in_which_they_ended(runtime: Runtime, tenant: TenantId) -> None:
    record_stage_run(runtime, tenant, 100, 10, "2026-10-31T16:59:59Z")
    record_stage_run(runtime, tenant, 20, 5, "2026-10-31T17:00:00Z")
    record_stage_run(runtime, tenant, 3, 1, "2026-11-30T16:59:59Z")
    november = usage_of(runtime, tenant, Month(2026, 11))
    assert (november.run_seconds, november.rows, november.instance_hours) == (23, 6, 0)
    assert usage_of(runtime, tenant, Month(2026, 10)).run_seconds == 100


def test_bytes_are_those_that_the_tenants_files_take(runtime: Runtime, tenant: TenantId) -> None:
    import io

    runtime.raw_zone(tenant).put(io.BytesIO(b"x" * 10_000))
    month = Month.of(runtime.now())
    stored = usage_of(runtime, tenant, month).stored_bytes
    assert 10_000 < stored < 11_000
    assert cost_of(runtime, tenant, month).as_json()["measured"]["stored_bytes"] == stored


def test_an_instance_costs_from_when_it_is_healthy_to_when_it_is_taken_down(runtime: Runtime, tenant: TenantId) -> None:
    month = Month.of(runtime.now())
    asked = {"backend": small_instances(runtime), "approvals": [], "requested_by": "ann", "verify": approved}
    for _ in range(2):
        provision(runtime, tenant, timeout=20, **asked)  # type: ignore[arg-type]
    first = usage_of(runtime, tenant, month).instance_hours
    assert 0 < first < usage_of(runtime, tenant, month).instance_hours < 0.1
    deprovision(runtime, tenant, **asked)  # type: ignore[arg-type]
    after = usage_of(runtime, tenant, month).instance_hours
    assert usage_of(runtime, tenant, month).instance_hours == after


def test_an_instance_that_was_taken_down_for_broken_isolation_costs_no_more(runtime: Runtime, tenant: TenantId) -> None:
    ended: dict[str, list[tuple[str, State, dict[str, Any]]]] = {
        "stands": [("instance_healthy", State.DONE, {}), (DONE, State.DONE, {})],
        "failed": [("failed", State.FAILED, {"isolation_broken": False}), (COMPENSATED, State.DONE, {})],
        "broken": [("failed", State.FAILED, {"isolation_broken": True}), (COMPENSATED, State.DONE, {})],
    }

    def grows() -> bool:
        hours = [usage_of(runtime, tenant, Month.of(runtime.now())).instance_hours for _ in range(2)]
        return hours[0] < hours[1]

    for name, costs in (("stands", True), ("failed", True), ("broken", False)):
        with runtime.database.platform() as connection:
            operation = begin(connection, tenant, Act.PROVISION, "local-process", "n", "a" * 64, [], "ann")
        for step, state, detail in ended[name]:
            record(runtime, operation, step, state, detail, "ann")
        assert grows() is costs, name


def test_a_budget_alerts_once_for_each_threshold_and_is_audited(runtime: Runtime, tenant: TenantId) -> None:
    record_stage_run(runtime, tenant, 3600 * 10, 0, runtime.now().isoformat())
    assert [each for each in raise_alerts(runtime) if each["tenant_id"] == tenant] == []
    with pytest.raises(NotAllowedError):
        set_budget(runtime, tenant, Decimal(40), person="rin", role="reviewer", reason="Enough")
    with pytest.raises(InputError):
        set_budget(runtime, tenant, Decimal("NaN"), person="anan", role="tenant-admin", reason="Enough")
    set_budget(runtime, tenant, Decimal(40), person="anan", role="tenant-admin", reason="Enough")
    raised = [each for each in raise_alerts(runtime) if each["tenant_id"] == tenant]
    assert [each["threshold"] for each in raised] == [Decimal("0.5"), Decimal("0.8")]
    assert [each for each in raise_alerts(runtime) if each["tenant_id"] == tenant] == []
    record_stage_run(runtime, tenant, 3600 * 2, 0, runtime.now().isoformat())
    assert [each["threshold"] for each in raise_alerts(runtime) if each["tenant_id"] == tenant] == [Decimal("1.0")]
    assert len(alerts_of(runtime, tenant)) == 3
    with runtime.database.tenant(tenant) as connection:
        actions = connection.execute(
            "SELECT action FROM runtime.audit_log WHERE tenant_id = %s AND action LIKE 'cost.%%' ORDER BY sequence",
            (tenant,),
        ).fetchall()
    assert [row["action"] for row in actions] == ["cost.budget", "cost.alert", "cost.alert", "cost.alert"]


def test_the_metrics_count_who_has_come_to_a_share_of_a_budget_this_month(runtime: Runtime, tenant: TenantId) -> None:
    def told() -> dict[str, float]:
        figures = read_figures(runtime)
        return {
            each.labels["threshold"]: each.value for each in figures if each.name == "tenant_runtime_budgets_exceeded"
        }

    before = told()
    assert before.keys() == {"0.5", "0.8", "1"}
    set_budget(runtime, tenant, Decimal(40), person="anan", role="tenant-admin", reason="Enough")
    earlier = runtime.now() - timedelta(days=40)
    record_stage_run(runtime, tenant, 3600 * 10, 0, earlier.isoformat())
    raise_alerts(replace(runtime, clock=lambda: earlier))
    assert len(alerts_of(runtime, tenant)) == 2
    assert told() == before, "that month is over"
    record_stage_run(runtime, tenant, 3600 * 10, 0, runtime.now().isoformat())
    for _ in range(2):
        raise_alerts(runtime)
        assert told() == {"0.5": before["0.5"] + 1, "0.8": before["0.8"] + 1, "1": before["1"]}


def test_another_tenant_sees_no_budget_and_no_alert(runtime: Runtime, tenant: TenantId) -> None:
    record_stage_run(runtime, tenant, 36000, 0, runtime.now().isoformat())
    set_budget(runtime, tenant, Decimal(1), person="anan", role="tenant-admin", reason="Enough")
    raise_alerts(runtime)
    for login, seen in ((tenant, True), (ATTACKER, False)):
        with runtime.database.tenant(login) as connection:
            for table in ("cost_budgets", "cost_alerts"):
                rows = connection.execute(f"SELECT 1 FROM runtime.{table} WHERE tenant_id = %s", (tenant,)).fetchall()
                assert bool(rows) is seen


def test_the_commands_show_what_was_measured_and_what_it_comes_to(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def opened() -> Iterator[Runtime]:
        yield runtime

    monkeypatch.setattr(command, "opened", opened)
    record_stage_run(runtime, tenant, 7200, 2_000_000, "2026-03-10T00:00:00Z")
    asked = ["show", "--tenant", tenant, "--month", "2026-03", "--json"]
    shown = json.loads(CliRunner().invoke(command.app, asked, catch_exceptions=False).stdout)
    assert (shown["total"], shown["currency"], shown["budget"]) == ("27.20", "THB", None)
    listed = CliRunner().invoke(command.app, ["list", "--month", "2026-03", "--json"], catch_exceptions=False)
    assert {row["tenant"]: row["total"] for row in json.loads(listed.stdout)}[tenant] == "27.20"

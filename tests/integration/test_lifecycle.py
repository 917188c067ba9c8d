"""A tenant's way through its states: only forward with approvals, back with a word, one winner when two try."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenant_pipeline.core.errors import InputError, NotAllowedError
from tenant_pipeline.core.lifecycle import TenantState, TransitionRefusedError
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import lifecycle, registry, roles, sources
from tenant_pipeline.services.approvals.refusals import ApprovalMissingError
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conftest import TwoTenants
from tests.registered import registered

STATES = (TenantState.REVIEW, TenantState.PILOT, TenantState.LIVE)


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def tenant(runtime: Runtime) -> TenantId:
    made = registered(runtime, f"states-{uuid.uuid4().hex[:10]}")
    for person, role in (("ann", "tenant-admin"), ("bo", "platform-governance"), ("di", "reviewer")):
        roles.grant_role(runtime, made, person=person, role=role, granted_by="test")
    return made


def forward(runtime: Runtime, tenant: TenantId, *states: TenantState) -> None:
    for state in states:
        with runtime.database.platform() as connection:
            lifecycle.move_on(runtime, connection, tenant, state, approvals=["a-1"], person="run", reason="approved")


def state_of(runtime: Runtime, tenant: TenantId) -> str:
    return str(registry.show_tenant(runtime, tenant)["status"])


def test_the_way_to_live_is_recorded_step_by_step_and_rolled_back_the_same_way(
    runtime: Runtime, tenant: TenantId
) -> None:
    forward(runtime, tenant, *STATES)
    row = registry.show_tenant(runtime, tenant)
    assert row["status"] == "live"
    went_live = row["go_live_at"]
    assert went_live is not None
    lifecycle.step_back(runtime, tenant, TenantState.PILOT, person="ann", role="tenant-admin", reason="Wrong hall")
    forward(runtime, tenant, TenantState.LIVE)
    assert registry.show_tenant(runtime, tenant)["go_live_at"] == went_live
    told = [
        (each["from_state"], each["to_state"], each["rolls_back"]) for each in lifecycle.transitions_of(runtime, tenant)
    ]
    assert told == [
        ("draft", "review", False),
        ("review", "pilot", False),
        ("pilot", "live", False),
        ("live", "pilot", True),
        ("pilot", "live", False),
    ]


def test_nothing_goes_forward_without_approvals_nor_by_a_step_back(runtime: Runtime, tenant: TenantId) -> None:
    with pytest.raises(TransitionRefusedError, match="gate-review"), runtime.database.platform() as connection:
        lifecycle.move_on(runtime, connection, tenant, TenantState.REVIEW, approvals=[], person="x", reason="x")
    with pytest.raises(TransitionRefusedError, match="leads through gate-review"):
        lifecycle.step_back(runtime, tenant, TenantState.REVIEW, person="ann", role="tenant-admin", reason="x")
    assert state_of(runtime, tenant) == "draft"


def test_of_two_at_once_one_moves_and_the_other_is_told_where_the_tenant_is(runtime: Runtime, tenant: TenantId) -> None:
    def attempt(_: int) -> str:
        try:
            forward(runtime, tenant, TenantState.REVIEW)
        except TransitionRefusedError as error:
            return error.what
        return "moved"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(attempt, range(12)))
    assert sorted(set(outcomes)) == ["A tenant that is review cannot become review", "moved"]
    assert outcomes.count("moved") == 1
    assert len(lifecycle.transitions_of(runtime, tenant)) == 1


def test_suspending_is_governances_and_nothing_is_taken_in_until_it_comes_back_with_approvals(
    runtime: Runtime, tenant: TenantId, tmp_path: Path
) -> None:
    forward(runtime, tenant, *STATES)
    with pytest.raises(NotAllowedError):
        lifecycle.step_back(runtime, tenant, TenantState.SUSPENDED, person="ann", role="tenant-admin", reason="x")
    with pytest.raises(InputError, match="reason"):
        lifecycle.step_back(runtime, tenant, TenantState.SUSPENDED, person="bo", role="platform-governance", reason=" ")
    lifecycle.step_back(
        runtime, tenant, TenantState.SUSPENDED, person="bo", role="platform-governance", reason="Unpaid"
    )
    path = tmp_path / "a.csv"
    path.write_text("name\nHall\n", encoding="utf-8")
    with pytest.raises(InputError, match="suspended"):
        sources.add_source(
            runtime, tenant, origin=Origin.PRESS, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)], title="t",
            actor="ann",
        )  # fmt: skip
    with pytest.raises(ApprovalMissingError):
        lifecycle.return_to_service(runtime, tenant, person="ann")


def test_a_tenant_is_changed_on_the_record_but_never_its_id_and_names(runtime: Runtime, tenant: TenantId) -> None:
    before = registry.show_tenant(runtime, tenant)
    after = registry.update_tenant(runtime, tenant, person="ann", domain="b.example", pdpa_agreement_ref="dpa-7")
    assert (after["domain"], after["pdpa_agreement_ref"]) == ("b.example", "dpa-7")
    assert {key: after[key] for key in ("id", "db_schema_name", "k8s_namespace", "status")} == {
        key: before[key] for key in ("id", "db_schema_name", "k8s_namespace", "status")
    }
    with runtime.database.tenant(tenant) as connection:
        (entry,) = connection.execute(
            "SELECT actor, details FROM runtime.audit_log WHERE tenant_id = %s AND action = 'tenant.update'", (tenant,)
        ).fetchall()
    assert entry["details"]["pdpa_agreement_ref"] == {"before": None, "after": "dpa-7"}
    with pytest.raises(InputError, match="nothing to change"):
        registry.update_tenant(runtime, tenant, person="ann")
    named = registry.update_tenant(runtime, tenant, person="ann", name={"th": "ก"})
    assert named["name"] == before["name"] | {"th": "ก"}
    for name in ({"th": "ข", "zh": " "}, {"th": "ข", "fr": "a"}, {}):
        with pytest.raises(InputError):
            registry.update_tenant(runtime, tenant, person="ann", name=name)
    assert registry.show_tenant(runtime, tenant)["name"] == named["name"]
    with pytest.raises(InputError, match="agreement has a reference"):
        registry.update_tenant(runtime, tenant, person="ann", pdpa_agreement_ref=" ")
    with pytest.raises(InputError, match="agreement has a reference"):
        registry.register_tenant(
            runtime, TenantId("blank"), name={"th": "ก", "en": "a", "zh": "字"}, domain="a.example", tier="pilot",
            actor="ann", pdpa_agreement_ref="",
        )  # fmt: skip

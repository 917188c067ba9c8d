"""Figures tell of the requests that wait for somebody, as the queue does: no fewer, and no more."""

from __future__ import annotations

import pytest

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import roles
from tenant_pipeline.services.approvals.handing_over import revoke, withdraw
from tenant_pipeline.services.approvals.queue import list_requests
from tenant_pipeline.services.erasure.requests import request_erasure
from tenant_pipeline.services.erasure.whole_tenant import erase_tenant
from tenant_pipeline.services.observation.figures import read_figures
from tenant_pipeline.services.runtime import Runtime
from tests.integration.approval_steps import GO_LIVE, REVIEW, ask_for_overdue_release, say, staffed_tenant
from tests.integration.conftest import TwoTenants

GATES = (REVIEW, "gate-conflict-resolution", GO_LIVE)


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def tenant(runtime: Runtime) -> TenantId:
    return staffed_tenant(runtime)


def told(runtime: Runtime) -> dict[str, tuple[float, float]]:
    """By gate how many requests wait, and how many of these for too long."""
    figures = {(each.name, each.labels.get("gate")): each.value for each in read_figures(runtime)}
    names = ("tenant_runtime_approvals_waiting", "tenant_runtime_approvals_overdue")
    return {gate: (figures.get((names[0], gate), 0), figures.get((names[1], gate), 0)) for gate in GATES}


def test_what_is_approved_waits_no_longer_and_what_was_rejected_and_taken_back_does(
    runtime: Runtime, tenant: TenantId
) -> None:
    before = told(runtime)

    def waiting() -> set[str]:
        now = told(runtime)
        more = {gate: (now[gate][0] - before[gate][0], now[gate][1] - before[gate][1]) for gate in GATES}
        assert set(more.values()) <= {(0, 0), (1, 1)}
        found = {gate for gate in GATES if more[gate] == (1, 1)}
        assert found == {str(each.request.gate) for each in list_requests(runtime, tenant, waiting_only=True)}
        return found

    asked = ask_for_overdue_release(runtime, tenant)
    assert waiting() == set(GATES)
    say(runtime, asked[REVIEW], "rin", "reviewer")
    assert waiting() == set(GATES) - {REVIEW}
    say(runtime, asked[GO_LIVE], "ann", "tenant-admin")
    assert GO_LIVE in waiting(), "one of its needs is met, not all"
    rejected = say(runtime, asked[GO_LIVE], "bo", "platform-governance", approves=False, reason="Not yet")
    assert GO_LIVE not in waiting()
    revoke(
        runtime, tenant, rejected.request.id, approval=str(rejected.decisions[-1]["id"]), person="bo",
        role="platform-governance", reason="It was the other one",
    )  # fmt: skip
    assert GO_LIVE in waiting()
    approved = say(runtime, asked[GO_LIVE], "cy", "platform-governance")
    assert GO_LIVE not in waiting()
    revoke(
        runtime, tenant, approved.request.id, approval=str(approved.decisions[0]["id"]), person="ann",
        role="tenant-admin", reason="A doubt",
    )  # fmt: skip
    assert GO_LIVE in waiting(), "the admin's word was taken back"
    withdraw(runtime, tenant, asked[GO_LIVE].request.id, person="kanya", reason="No more")
    assert waiting() == set(GATES) - {REVIEW, GO_LIVE}
    roles.grant_role(runtime, tenant, person="anan", role="tenant-admin", granted_by="test")
    request = request_erasure(runtime, tenant, person="anan", role="tenant-admin", reason="The tenant leaves")
    erase_tenant(runtime, tenant, request, person="bo", role="platform-governance")
    assert told(runtime) == before

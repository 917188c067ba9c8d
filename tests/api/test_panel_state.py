"""How a person left the panels is kept for them alone, and holds nothing that they typed."""

from __future__ import annotations

from typing import Any

import pytest

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import register_tenant
from tenant_pipeline.services.roles import grant_role, revoke_role
from tests.api.conftest import OTHER, Served

TENANT = TenantId("panel-state")
PLACE = f"/api/tenant/{TENANT}/workspace/panels"
LEFT = {"mode": "expert", "panel": "panel-conflict", "filters": {"panel-conflict": {"status": "signed"}}}
NOTHING: dict[str, Any] = {"mode": "", "panel": "", "filters": {}}


@pytest.fixture(scope="module")
def tenant(served: Served) -> TenantId:
    name = {"th": "แผง", "en": "Panels", "zh": "面板"}
    register_tenant(served.runtime, TENANT, name=name, domain="panels.example", tier="pilot", actor="test")
    for person, role in (("rin", "reviewer"), ("nok", "viewer"), ("leaver", "viewer")):
        grant_role(served.runtime, TENANT, person=person, role=role, granted_by="test")
    return TENANT


def test_each_finds_the_panels_as_they_left_them_and_nobody_elses(served: Served, tenant: TenantId) -> None:
    with served.client("rin", tenant) as rin, served.client("nok", tenant) as nok, served.client("eve", OTHER) as eve:
        assert rin.get(PLACE).json() == NOTHING
        assert rin.put(PLACE, json=LEFT).json() == LEFT
        assert nok.put(PLACE, json={**NOTHING, "mode": "guided"}).status_code == 200
        assert rin.put(PLACE, json=LEFT).json() == LEFT, "again is the same"
        assert rin.get(PLACE).json() == LEFT
        assert nok.get(PLACE).json() == {**NOTHING, "mode": "guided"}
        assert eve.get(PLACE).status_code == eve.put(PLACE, json=LEFT).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "secret"},
        {"panel": "panel-none"},
        {"filters": {"panel-none": {}}},
        {"filters": {"panel-conflict": {"search": "somchai"}}},
        {"filters": {"panel-conflict": {"status": "081-234-5678"}}},
        {"filters": {"panel-conflict": {"status": "a" * 101}}},
        {"filters": {"panel-conflict": {"status": "two words"}}},
        {"more": "of it"},
    ],
)
def test_what_is_no_view_is_refused(served: Served, tenant: TenantId, wrong: dict[str, Any]) -> None:
    with served.client("rin", tenant) as rin:
        assert rin.put(PLACE, json={**LEFT, **wrong}).status_code in (409, 422)
        rin.put(PLACE, json=LEFT).raise_for_status()


def test_of_whoever_has_no_role_any_more_nothing_stays(served: Served, tenant: TenantId) -> None:
    with served.client("leaver", tenant) as leaver:
        leaver.put(PLACE, json=LEFT).raise_for_status()
    revoke_role(served.runtime, tenant, person="leaver", role="viewer", revoked_by="test")
    with served.client("rin", tenant) as rin:
        rin.put(PLACE, json=LEFT).raise_for_status()
    with served.runtime.database.tenant(tenant) as connection:
        row = connection.execute("SELECT panel_state::text AS kept FROM runtime.tenant_workspaces").fetchone()
    assert row is not None
    assert "rin" in row["kept"]
    assert "leaver" not in row["kept"]

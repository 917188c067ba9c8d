"""A tenant is steered over the API: its state, its flags, its tier; each by who answers for it, and by nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import register_tenant
from tenant_pipeline.services.roles import grant_role
from tests.api.conftest import OTHER, OWN, Served
from tests.integration.conflict_statements import Sources
from tests.integration.releasable import approve_everything, go_live, make_releasable

WHARF = TenantId("wharf-halls")
PLACE = f"/api/tenant/{WHARF}"


@pytest.fixture(scope="module")
def wharf(served: Served) -> Sources:
    """A live tenant."""
    name = {"th": "ท่าเทียบเรือ", "en": "Wharf", "zh": "码头"}
    register_tenant(served.runtime, WHARF, name=name, domain="wharf.example", tier="pilot", actor="test")
    made = make_releasable(Sources(served.runtime, WHARF))
    go_live(made)
    return made


def _asked(
    served: Served, person: str, method: str, path: str, body: dict[str, Any] | None = None, key: str | None = None
) -> httpx.Response:
    with served.client(person, WHARF) as client:
        headers = {"Idempotency-Key": key} if key else {}
        return client.request(method, f"{PLACE}{path}", json=body, headers=headers)


def _step(served: Served, person: str, to: str, key: str | None = None) -> httpx.Response:
    return _asked(served, person, "POST", "/transitions", {"to": to, "reason": "Renovation"}, key)


def test_a_tenant_is_suspended_returns_with_approvals_and_goes_back(served: Served, wharf: Sources) -> None:
    states = _asked(served, "rin", "GET", "/transitions").json()
    assert states["state"] == "live"
    assert {way["to"]: way["roles"] for way in states["ways"]}["suspended"] == ["platform-governance", "founder"]
    assert _step(served, "anan", "suspended").status_code == 403
    assert _step(served, "rin", "pilot").status_code == 403
    assert _step(served, "gov", "archived").json()["code"] == "transition-refused"
    suspended = _step(served, "gov", "suspended", key="pause")
    assert (suspended.status_code, suspended.json()["state"]) == (200, "suspended")
    assert _step(served, "gov", "suspended", key="pause").json() == suspended.json()
    assert _step(served, "gov", "live").status_code == 403  # nobody has signed
    asked = _asked(served, "kanya", "POST", "/return", {"reason": "The hall is open again"})
    assert (asked.status_code, asked.json()["requests"][0]["operation"]) == (202, "lifecycle")
    approve_everything(served.runtime, WHARF)
    assert _step(served, "rin", "live").status_code == 403
    returned = _step(served, "gov", "live").json()
    assert (returned["state"], returned["transitions"][-1]["to_state"]) == ("live", "live")
    assert returned["transitions"][-1]["approvals"]
    assert _asked(served, "kanya", "POST", "/return", {}).json()["code"] == "transition-refused"
    assert _step(served, "anan", "pilot").json()["state"] == "pilot"


def test_only_who_owns_a_flag_changes_it_and_for_this_tenant_alone(served: Served, wharf: Sources) -> None:
    def value(person: str, tenant: TenantId) -> dict[str, Any]:
        with served.client(person, tenant) as client:
            found = client.get(f"/api/tenant/{tenant}/flags").json()["flags"]
        return {each["flag"]: (each["value"], each["own"]) for each in found}

    off = {"value": False, "reason": "Too many broken links"}
    assert _asked(served, "rin", "PUT", "/flags/intake.links", off).status_code == 403
    assert _asked(served, "anan", "PUT", "/flags/marketplace.listings", off).status_code == 403
    assert _asked(served, "anan", "PUT", "/flags/intake.links", off).status_code == 200
    assert value("rin", WHARF)["intake.links"] == (False, True)
    assert value("eve", OTHER)["intake.links"] == (True, False)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    score = {"value": 80, "reason": "Too much was found", "expires_at": until}
    answer = _asked(served, "gov", "PUT", "/flags/instance.search_least_score", score).json()
    (set_now,) = [each for each in answer["flags"] if each["flag"] == "instance.search_least_score"]
    assert (set_now["value"], datetime.fromisoformat(set_now["until"])) == (80, datetime.fromisoformat(until))
    cleared = _asked(served, "anan", "DELETE", "/flags/intake.links", {"reason": "Mended"}).json()
    assert [(each["flag"], each["act"]) for each in cleared["history"]] == [
        ("intake.links", "set"),
        ("instance.search_least_score", "set"),
        ("intake.links", "clear"),
    ]
    assert value("rin", WHARF)["intake.links"] == (True, False)


@pytest.mark.parametrize(
    ("flag", "body", "status"),
    [
        ("no.such.flag", {"value": True}, 404),
        ("intake.links", {"value": "maybe"}, 409),
        ("intake.links", {"value": 1}, 409),
        ("instance.search_least_score", {"value": 101}, 409),
        ("intake.links", {"value": False, "expires_at": "2020-01-01T00:00:00Z"}, 409),
        ("intake.links", {"value": [False]}, 422),
    ],
)
def test_a_value_that_a_flag_cannot_have_is_refused(
    served: Served, wharf: Sources, flag: str, body: dict[str, Any], status: int
) -> None:
    refused = _asked(served, "anan", "PUT", f"/flags/{flag}", {**body, "reason": "x"})
    assert refused.status_code == status, refused.text


def test_the_tier_is_governances_to_change(served: Served, wharf: Sources) -> None:
    assert _asked(served, "anan", "PATCH", "", {"tier": "gold"}).status_code == 403
    assert _asked(served, "gov", "PATCH", "", {"tier": "standard"}).json()["tier"] == "standard"


def test_a_name_is_changed_in_the_languages_that_are_given(served: Served, wharf: Sources) -> None:
    before = _asked(served, "anan", "GET", "").json()["name"]
    after = _asked(served, "anan", "PATCH", "", {"name": {"zh": "旧码头"}}).json()["name"]
    assert after == before | {"zh": "旧码头"}
    for name in ({"zh": " "}, {"zh": "新码头", "fr": "Quai"}):
        assert _asked(served, "anan", "PATCH", "", {"name": name}).status_code == 422
    assert _asked(served, "anan", "PATCH", "", {"name": {}}).status_code == 409
    assert _asked(served, "anan", "GET", "").json()["name"] == after


def test_who_governs_sees_the_tenants_in_which_they_do_and_no_other(served: Served, wharf: Sources) -> None:
    grant_role(served.runtime, WHARF, person="gita", role="platform-governance", granted_by="test")
    grant_role(served.runtime, OTHER, person="gita", role="viewer", granted_by="test")
    grant_role(served.runtime, OWN, person="gita", role="founder", granted_by="test")
    place = "/governance/tenants"
    found = _asked(served, "gita", "GET", place).json()
    roles = {each["id"]: each["roles"] for each in found["tenants"]}
    assert roles == {OWN: ["founder"], WHARF: ["platform-governance"]}
    first = _asked(served, "gita", "GET", f"{place}?limit=1").json()
    assert (first["tenants"][0]["id"], first["next"]) == (OWN, OWN)
    assert [each["id"] for each in _asked(served, "gita", "GET", f"{place}?after={OWN}").json()["tenants"]] == [WHARF]
    assert _asked(served, "anan", "GET", place).status_code == 403

"""The marketplace over the API: everybody reads what they may, and only its own people take a listing down."""

from __future__ import annotations

from typing import Any

import pytest

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.going_live.listings import list_approved, request_listing
from tenant_pipeline.services.marketplace.drafting import ListingTerms
from tenant_pipeline.services.registry import register_tenant
from tests.api.conftest import OTHER, Served
from tests.integration.conflict_statements import Sources
from tests.integration.releasable import approve_everything, go_live, make_releasable

ARCADE = TenantId("arcade-halls")
PLACE = f"/api/tenant/{ARCADE}/listing"


@pytest.fixture(scope="module")
def arcade(served: Served) -> Sources:
    """A live tenant."""
    name = {"th": "อาเขต", "en": "Arcade", "zh": "拱廊"}
    register_tenant(served.runtime, ARCADE, name=name, domain="arcade.example", tier="pilot", actor="test")
    made = make_releasable(Sources(served.runtime, ARCADE))
    go_live(made)
    return made


def _listed(served: Served, visibility: str, scope: str) -> None:
    request_listing(served.runtime, ARCADE, ListingTerms(visibility, scope, resell=False), requested_by="kanya")
    approve_everything(served.runtime, ARCADE)
    list_approved(served.runtime, ARCADE, run_by="run")


def _seen_by(served: Served, person: str, tenant: TenantId) -> list[dict[str, Any]]:
    with served.client(person, tenant) as client:
        answer = client.get(f"/api/tenant/{tenant}/listings")
        assert answer.status_code == 200, answer.text
        return [each for each in answer.json()["listings"] if each["tenant"] == ARCADE]


def test_a_listing_is_seen_by_whom_it_allows_and_changed_by_none_of_them(served: Served, arcade: Sources) -> None:
    _listed(served, "public", "read")
    (seen,) = _seen_by(served, "eve", OTHER)
    assert (seen["title"]["en"], seen["version"], seen["entities"]) == ("Arcade", "1.0.0", 2)
    assert {each["label"] for each in seen["sample"]} == {"Phuket Hall", "Kata Pavilion"}
    with served.client("eve", OTHER) as eve:
        assert eve.get(PLACE).status_code == 404
        assert eve.request("DELETE", PLACE, json={"reason": "x"}).status_code == 404
        assert eve.get(f"/api/tenant/{OTHER}/listing").json() == {"listing": None, "history": []}
    _listed(served, "partners", "listing")
    assert _seen_by(served, "eve", OTHER) == []  # its tenant is a draft
    (own,) = _seen_by(served, "rin", ARCADE)
    assert (own["visibility"], own["sample"]) == ("partners", [])


def test_a_listing_is_taken_down_once_by_who_answers_for_the_tenant(served: Served, arcade: Sources) -> None:
    _listed(served, "public", "none")
    for person in ("rin", "kanya"):
        with served.client(person, ARCADE) as other:
            refused = other.request("DELETE", PLACE, json={"reason": "x"})
            assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
    with served.client("anan", ARCADE) as anan:
        assert anan.request("DELETE", PLACE, json={"reason": ""}).status_code == 422
        key = {"Idempotency-Key": "down"}
        down = anan.request("DELETE", PLACE, json={"reason": "Renovation"}, headers=key)
        assert (down.status_code, down.json()["listing"]) == (200, None)
        assert down.json()["history"][-1]["reason"] == "Renovation"
        assert anan.request("DELETE", PLACE, json={"reason": "Renovation"}, headers=key).json() == down.json()
        assert anan.request("DELETE", PLACE, json={"reason": "Renovation"}).status_code == 404
        first = anan.get(PLACE)
        assert anan.get(PLACE, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert _seen_by(served, "eve", OTHER) == []

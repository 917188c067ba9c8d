"""What those who answer for a tenant do in the browser: read what was done, and steer what the tenant may and shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.going_live.listings import list_approved
from tenant_pipeline.services.registry import register_tenant, update_tenant
from tenant_pipeline.services.runtime import Runtime
from tests.api.browser import People, browser, needs_browser
from tests.api.conftest import Served
from tests.integration.conflict_statements import Sources
from tests.integration.releasable import approve_everything, go_live, make_releasable

pytestmark = [pytest.mark.slow, needs_browser]

FERRY = TenantId("ferry-halls")


@pytest.fixture(scope="module")
def runtime_of(served: Served) -> Runtime:
    return served.runtime


@pytest.fixture(scope="module")
def halls(runtime_of: Runtime) -> Sources:
    """A live tenant, with somebody in each role."""
    name = {"th": "ท่าเรือข้ามฟาก", "en": "Ferry halls", "zh": "渡轮会堂"}
    register_tenant(runtime_of, FERRY, name=name, domain="ferry.example", tier="pilot", actor="test")
    made = make_releasable(Sources(runtime_of, FERRY))
    go_live(made)
    return made


@pytest.fixture(scope="module")
def people(served: Served, halls: Sources) -> Iterator[People]:
    with browser() as opened:
        yield People(opened, served, halls.tenant)


@pytest.fixture(autouse=True)
def _nothing_goes_wrong_unseen(people: People) -> Iterator[None]:
    people.complaints.clear()
    yield
    for context in people.browser.contexts:
        context.close()
    assert people.complaints == []


def test_the_audit_trail_is_searched_and_sent_to_somebody_else(people: People, runtime_of: Runtime) -> None:
    update_tenant(runtime_of, people.tenant, person="anan", tier="standard")
    anan = people.open("anan", "panel-overview")
    anan.get_by_text("Read and search").click()
    trail = anan.get_by_role("region", name="Audit trail")
    expect(trail.get_by_text("tenant.update")).to_be_visible()
    anan.get_by_label("What was done").fill("role")
    anan.get_by_label("To what").fill("rin")
    anan.get_by_label("To what").press("Enter")
    expect(trail.locator("tbody tr")).to_have_count(1)
    expect(trail.get_by_text("role.granted")).to_be_visible()
    query = dict(each.split("=") for each in anan.url.split("?")[1].split("&"))
    gov = people.open("gov", "panel-overview", **query)
    expect(gov.get_by_role("region", name="Audit trail").locator("tbody tr")).to_have_count(1)


def test_a_listing_is_asked_for_shown_and_taken_down(people: People, runtime_of: Runtime) -> None:
    kanya = people.open("kanya", "panel-handoff")
    expect(kanya.get_by_text("This tenant shows nothing in the marketplace.")).to_be_visible()
    kanya.get_by_text("Ask for a listing").first.click()
    asking = kanya.locator("form").filter(has_text="Who sees it")
    asking.get_by_label("Who sees it").select_option(label="Everybody")
    asking.get_by_label("What is shared").select_option(label="These, and some names")
    asking.get_by_label("Reason").fill("Organisers look for halls")
    asking.get_by_role("button").click()
    expect(kanya.locator("article").filter(has_text="Organisers look for halls")).to_be_visible()
    approve_everything(runtime_of, people.tenant)
    list_approved(runtime_of, people.tenant, run_by="run")
    anan = people.open("anan", "panel-handoff")
    expect(anan.get_by_text("Phuket Hall · Kata Pavilion")).to_be_visible()
    anan.get_by_text("Take the listing down").first.click()
    down = anan.locator("form").filter(has_text="Take the listing down")
    down.get_by_label("Reason").fill("Renovation")
    down.get_by_role("button").click()
    expect(anan.get_by_text("This tenant shows nothing in the marketplace.")).to_be_visible()
    expect(anan.get_by_text("anan Renovation")).to_be_visible()

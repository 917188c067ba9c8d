"""What those who answer for a tenant do in the browser: read what was done, and steer what the tenant may and shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.appointments import appoint, dismiss
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


def test_a_flag_is_set_and_cleared_by_who_owns_it(people: People) -> None:
    anan, rin = people.open("anan", "panel-handoff"), people.open("rin", "panel-handoff")
    cards = [page.locator("article").filter(has_text="Sources may be added by link") for page in (anan, rin)]
    cards[0].get_by_text("Change", exact=True).click()
    cards[0].get_by_label("Value").select_option(label="off")
    cards[0].get_by_label("Reason").fill("Too many broken links")
    cards[0].get_by_role("button", name="Save").click()
    for card in cards:
        expect(card.locator("h3 .badge")).to_have_text("off")
    expect(cards[1].get_by_text("Change", exact=True)).to_have_count(0)
    clearing = cards[0].locator("form").filter(has_text="Back to the default")
    clearing.get_by_label("Reason").fill("Mended")
    clearing.get_by_role("button").click()
    expect(cards[1].locator("h3 .badge")).to_have_text("on")


def test_governance_suspends_a_tenant_and_takes_it_live_again_once_all_have_signed(
    people: People, runtime_of: Runtime
) -> None:
    gov, kanya = people.open("gov", "panel-overview"), people.open("kanya", "panel-handoff")
    expect(gov.get_by_role("heading", name="Tenants you govern")).to_be_visible()
    people.go(gov, "panel-handoff")
    gov.get_by_text("To the state: Suspended").first.click()
    suspending = gov.locator("form").filter(has_text="To the state: Suspended")
    suspending.get_by_label("Reason").fill("Renovation")
    suspending.get_by_role("button").click()
    expect(kanya.locator("main .state-suspended")).to_be_visible()
    expect(kanya.get_by_text("To the state: Live")).to_have_count(0)
    kanya.get_by_text("Ask to be live again").first.click()
    asking = kanya.locator("form").filter(has_text="Ask to be live again")
    asking.get_by_label("Reason").fill("The hall is open again")
    asking.get_by_role("button").click()
    expect(gov.locator("article").filter(has_text="The hall is open again")).to_be_visible()
    approve_everything(runtime_of, people.tenant)
    gov.get_by_text("To the state: Live").first.click()
    returning = gov.locator("form").filter(has_text="To the state: Live")
    returning.get_by_label("Reason").fill("All have signed")
    returning.get_by_role("button").click()
    expect(gov.locator("main .state-live")).to_be_visible()


def test_a_tenant_that_is_registered_here_is_told_who_is_missing_until_they_are_there(
    people: People, served: Served
) -> None:
    def register(tenant: str) -> Page:
        page = people.browser.new_context(locale="en-GB").new_page()
        code = LocalIssuer(served.runtime).sign_in_code("ploy", TenantId(tenant))
        page.goto(f"{served.url}/#code={code}")
        for called, said in (("Thai", "ท่าเรือ"), ("English", "Pier"), ("Chinese", "码头")):
            page.get_by_label(f"Name in {called}").fill(said)
        page.get_by_label("Domain").fill("pier.example")
        page.get_by_role("button", name="Register").click()
        page.get_by_role("button", name="Check and finish").click()
        expect(page.get_by_text("Tenant admin: ploy")).to_be_visible()
        return page

    alone = register("pier-alone")
    for role in ("Platform governance", "Founder"):
        missing = alone.locator("li.warn").filter(has_text=role)
        expect(missing.get_by_text("Whoever runs this installation gives the role.")).to_be_visible()
    for person, role in (("gov", "platform-governance"), ("mali", "founder")):
        appoint(served.runtime, person=person, role=role, decided_by="operator", reason="They answer for it")
    try:
        helped = register("pier-helped")
        expect(helped.locator("li.pass").filter(has_text="Platform governance: gov")).to_be_visible()
        expect(helped.locator("li.pass").filter(has_text="Founder: mali")).to_be_visible()
    finally:
        for person, role in (("gov", "platform-governance"), ("mali", "founder")):
            dismiss(served.runtime, person=person, role=role, decided_by="operator", reason="The test is over")

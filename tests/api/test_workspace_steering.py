"""What those who answer for a tenant do in the browser: read what was done, and steer what the tenant may and shows."""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from playwright.sync_api import Page, expect

from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.appointments import appoint, dismiss
from tenant_pipeline.services.approvals.person_keys import add_person_key
from tenant_pipeline.services.approvals.queue import list_requests
from tenant_pipeline.services.going_live.listings import list_approved, request_listing
from tenant_pipeline.services.marketplace.drafting import ListingTerms
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.registry import register_tenant, update_tenant
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import add_source, list_sources
from tests.api.browser import People, browser, needs_browser, nothing_goes_wrong_unseen
from tests.api.conftest import Served
from tests.integration.conflict_statements import Sources
from tests.integration.releasable import approve_everything, go_live, make_releasable

__all__ = ["nothing_goes_wrong_unseen"]  # a fixture

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
    for page in (anan, rin):
        page.get_by_role("heading", name="What is switched on").click()
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


def test_a_time_is_typed_as_it_is_shown_wherever_the_browser_is(people: People, served: Served) -> None:
    anan = people.browser.new_context(locale="en-GB", timezone_id="America/New_York").new_page()
    anan.goto(f"{served.url}/#code={LocalIssuer(served.runtime).sign_in_code('anan', people.tenant)}")
    expect(anan.locator("header .person")).to_have_text("anan")
    with anan.expect_request("**/audit?*since=2026-01-01T05%3A00%3A00.000Z*"):
        people.go(anan, "panel-overview", trail="open", since="2026-01-01T12:00", until="no-time")
    people.go(anan, "panel-handoff")
    anan.get_by_role("heading", name="What is switched on").click()
    card = anan.locator("article").filter(has_text="Sources may be added by link")
    card.get_by_text("Change", exact=True).click()
    card.get_by_label("Until").fill("2066-03-04T18:30")
    card.get_by_label("Reason").first.fill("While the site is rebuilt")
    card.get_by_role("button", name="Save").click()
    expect(card.get_by_text("Until 4 Mar 2066, 18:30")).to_be_visible()
    clearing = card.locator("form").filter(has_text="Back to the default")
    clearing.get_by_label("Reason").fill("It is rebuilt")
    clearing.get_by_role("button").click()
    expect(card.get_by_text("Until 4 Mar 2066, 18:30")).to_have_count(0)


def test_governance_suspends_a_tenant_and_takes_it_live_again_once_all_have_signed(
    people: People, runtime_of: Runtime
) -> None:
    gov, kanya = people.open("gov", "panel-overview"), people.open("kanya", "panel-handoff")
    expect(gov.get_by_role("heading", name="Tenants you govern")).to_be_visible()
    report = gov.get_by_role("link", name="Governance report")
    expect(report).to_have_attribute("href", re.compile(r"^/api/tenant/[a-z0-9-]+/governance/report$"))
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


def _listing_asked_for(people: People, runtime: Runtime, reason: str, visibility: str = "public") -> None:
    terms = ListingTerms(visibility, "none", resell=False)
    request_listing(runtime, people.tenant, terms, requested_by="kanya", reason=reason)


def test_a_decision_is_assigned_to_who_is_shown_handed_on_signed_by_who_has_it_then_and_taken_back(
    people: People, runtime_of: Runtime
) -> None:
    grant_role(runtime_of, people.tenant, person="nok", role="viewer", granted_by="anan")
    _listing_asked_for(people, runtime_of, "Organisers ask")
    anan, nok, gov = (people.open(person, "panel-review-queue") for person in ("anan", "nok", "gov"))
    card = [page.locator("article").filter(has_text="Organisers ask") for page in (anan, nok, gov)]
    expect(card[1]).to_be_visible()
    expect(card[1].get_by_role("button", name="Sign")).to_have_count(0)
    assigning = card[2].locator("details").filter(has_text="Assign")
    assigning.locator("summary").click()
    expect(assigning.get_by_label("Person")).to_have_value("anan")
    assigning.get_by_label("Person").select_option("anan")
    assigning.get_by_label("Role").select_option("platform-governance")
    expect(assigning.get_by_label("Person")).to_have_value("gov")
    assigning.get_by_role("button", name="Assign").click()
    expect(card[2].get_by_text("Assigned to gov (Platform governance)")).to_be_visible()
    card[0].get_by_text("Hand the decision on").first.click()
    handing = card[0].locator("form").filter(has_text="Hand the decision on")
    handing.get_by_label("Person").select_option("nok")
    handing.get_by_label("Reason").fill("On leave")
    handing.get_by_role("button").click()
    card[1].get_by_role("button", name="Sign · Tenant admin").click()
    expect(card[2].get_by_text("nok · Tenant admin (on behalf of anan)")).to_be_visible()
    card[2].get_by_text("Take the decision back").first.click()
    back = card[2].locator("form").filter(has_text="Take the decision back")
    back.get_by_label("Reason").fill("Seen too late")
    back.get_by_role("button").click()
    expect(card[1].get_by_text("taken back")).to_be_visible()
    expect(card[1].get_by_role("button", name="Sign")).to_have_count(0)


def test_who_has_two_roles_signs_in_the_one_they_chose_and_who_asked_takes_it_back(
    people: People, runtime_of: Runtime
) -> None:
    _listing_asked_for(people, runtime_of, "A second thought", "partners")
    kanya, anan = people.open("kanya", "panel-handoff"), people.open("anan", "panel-handoff")
    mine, theirs = (page.locator("article").filter(has_text="A second thought") for page in (kanya, anan))
    expect(theirs.get_by_role("button", name="Sign")).to_be_visible()
    expect(theirs.get_by_text("Take the request back")).to_have_count(0)
    for role in ("tenant-admin", "platform-governance"):
        grant_role(runtime_of, people.tenant, person="pim", role=role, granted_by="test")
    pim = people.open("pim", "panel-handoff").locator("article").filter(has_text="A second thought")
    pim.get_by_role("group", name="Decide").get_by_label("Role").select_option("platform-governance")
    expect(pim.get_by_role("button", name="Sign · Platform governance")).to_be_visible()
    mine.get_by_text("Take the request back").first.click()
    taking = mine.locator("form").filter(has_text="Take the request back")
    taking.get_by_label("Reason").fill("Not yet")
    taking.get_by_role("button").click()
    expect(theirs).to_have_count(0)


def test_a_role_is_taken_again_by_who_may_give_it(people: People, runtime_of: Runtime) -> None:
    grant_role(runtime_of, people.tenant, person="leaver", role="contributor", granted_by="anan")
    anan, rin = (people.open(person, "panel-wizard", step="people") for person in ("anan", "rin"))
    expect(rin.get_by_text("leaver · Contributor")).to_be_visible()
    expect(rin.get_by_role("button", name="Remove")).to_have_count(0)
    expect(anan.get_by_role("button", name="Remove: gov · Platform governance")).to_have_count(0)
    anan.get_by_role("button", name="Remove: leaver · Contributor").click()
    expect(rin.get_by_text("leaver · Contributor")).to_have_count(0)


def test_what_was_refused_is_let_in_and_a_source_says_as_of_when_it_holds(
    people: People, runtime_of: Runtime, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("halls.csv", "name_en,capacity\nHall A,100\n")
        archive.writestr("../../escape.csv", "name_en,capacity\nHall B,200\n")
    kanya = people.open("kanya", "panel-upload")
    kanya.locator("input[type=file]").first.set_input_files(bundle)
    kanya.get_by_label("As of when it holds").fill("2569-05-01")
    expect(kanya.get_by_text("2569 of the Buddhist one is 2026")).to_be_visible()
    expect(kanya.get_by_role("button", name="Hand in")).to_be_disabled()
    kanya.get_by_label("As of when it holds").fill("2026-05-01")
    kanya.get_by_role("button", name="Hand in").click()
    expect(kanya.locator("h1")).to_have_text("Normalise")
    source = next(each for each in list_sources(runtime_of, people.tenant) if each.title == "bundle.zip")
    assert source.observed_at == datetime(2026, 4, 30, 17, tzinfo=UTC)
    run_stage(runtime_of, people.tenant, source.id, Stage.RECEIVE, run_id="test")
    people.go(kanya, "panel-normalise", source=source.id)
    expect(kanya.get_by_role("heading", name="Refused or set aside")).to_be_visible()
    expect(kanya.get_by_text("Let it in")).to_have_count(0)
    gov = people.open("gov", "panel-normalise", source=source.id)
    gov.get_by_text("Let it in").first.click()
    letting = gov.locator("form").filter(has_text="Let it in")
    letting.get_by_label("Reason").fill("It is a list of halls")
    letting.get_by_role("button").click()
    expect(gov.get_by_role("status").get_by_text("Done")).to_be_visible()
    run_stage(runtime_of, people.tenant, source.id, Stage.RECEIVE, run_id="test")
    people.go(gov, "panel-normalise", source=source.id)
    expect(gov.get_by_text("let in · gov")).to_be_visible()


def test_what_was_said_of_a_source_is_put_right_and_a_wrong_source_is_taken_out(
    people: People, runtime_of: Runtime, tmp_path: Path
) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text("name_en\nHall\n")
    wrong = add_source(
        runtime_of, people.tenant, origin=Origin.REGULATOR, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)],
        title="Wrong list", actor="kanya",
    ).id  # fmt: skip
    run_stage(runtime_of, people.tenant, wrong, Stage.RECEIVE, run_id="test")
    kanya = people.open("kanya", "panel-normalise", source=wrong)
    expect(kanya.get_by_text("None are declared")).to_be_visible()
    expect(kanya.locator("dd").get_by_text("wrong.csv")).to_be_visible()
    kanya.get_by_text("Put right what is said of it").first.click()
    putting_right = kanya.locator("form").filter(has_text="Put right")
    putting_right.get_by_label("Licence or agreement").fill("Open data")
    putting_right.get_by_role("button", name="Save").click()
    expect(kanya.locator("dd").get_by_text("Open data")).to_be_visible()
    expect(kanya.get_by_text("Withdraw the source")).to_have_count(0)
    anan = people.open("anan", "panel-normalise", source=wrong)
    anan.get_by_text("Withdraw the source").first.click()
    taking_out = anan.locator("form").filter(has_text="Withdraw the source")
    taking_out.get_by_label("Reason").fill("It is of another city")
    taking_out.get_by_role("button", name="Withdraw").click()
    expect(anan.get_by_text("It is of another city")).to_be_visible()
    expect(anan.locator(".badge.is-withdrawn")).to_be_visible()
    expect(anan.get_by_text("Withdraw the source")).to_have_count(0)


def test_who_has_a_key_of_their_own_signs_with_it_in_the_browser(
    people: People, runtime_of: Runtime, tmp_path: Path
) -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    (tmp_path / "other.pem").write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    grant_role(runtime_of, people.tenant, person="somchai", role="tenant-admin", granted_by="test")
    add_person_key(runtime_of, people.tenant, person="somchai", public_key=public, added_by="gov")
    _listing_asked_for(people, runtime_of, "Sign with a key", "private")
    sent: list[str] = []
    page = people.open("somchai", "panel-review-queue")
    page.on("request", lambda request: sent.append(request.post_data or ""))
    card = page.locator("article").filter(has_text="Sign with a key")
    expect(card.get_by_role("button", name="Sign · Tenant admin")).to_be_disabled()
    card.get_by_label("Your own key").set_input_files(tmp_path / "other.pem")
    expect(card.get_by_text("This is no Ed25519 private key")).to_be_visible()
    card.get_by_label("Your own key").set_input_files(tmp_path / "key.pem")
    card.get_by_role("textbox", name="Reason").fill('ตรวจแล้ว "ok" \\ 已查看')
    card.get_by_role("button", name="Sign · Tenant admin").click()
    expect(card.get_by_text("✓ somchai · Tenant admin")).to_be_visible()
    (asked,) = [each for each in list_requests(runtime_of, people.tenant) if each.reason == "Sign with a key"]
    (said,) = asked.as_json()["decisions"]
    assert said["signed_with"] == hashlib.sha256(public).hexdigest()
    secret = base64.b64encode(key.private_bytes_raw()).decode().rstrip("=")
    assert not any(secret[:20] in body or "PRIVATE KEY" in body for body in sent)

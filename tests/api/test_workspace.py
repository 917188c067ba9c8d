"""The workspace in a real browser: eight panels in three languages, several people at once, and nothing lost."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.core.feed.profile import Expectations
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.conflicts import bulk_signing
from tenant_pipeline.services.conflicts.authority import Signer
from tenant_pipeline.services.conflicts.reading import Filter
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.conflicts.signing import Choice, resolve
from tenant_pipeline.services.coverage.reading import verdict_of_tenant
from tenant_pipeline.services.feeds.feeds import NewFeed, add_feed
from tenant_pipeline.services.feeds.polling import poll_feed
from tenant_pipeline.services.registry import register_tenant, show_tenant
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import add_source, list_sources
from tenant_pipeline.storage.audit_log import AuditEntry
from tests.api.browser import People, browser, needs_browser, nothing_goes_wrong_unseen
from tests.api.conftest import OTHER, Served, serving
from tests.api.network import network_before
from tests.integration.conflict_statements import Sources
from tests.integration.releasable import settle
from tests.unit.intake.link_server import Answer, serve

__all__ = ["nothing_goes_wrong_unseen"]  # a fixture

pytestmark = [pytest.mark.slow, needs_browser]

HALLS, NORTH = TenantId("city-halls"), TenantId("northern-halls")
PANELS = ("overview", "wizard", "upload", "normalise", "conflict", "review-queue", "coverage", "handoff")
PEOPLE = {
    "kanya": "contributor",
    "rin": "reviewer",
    "anan": "tenant-admin",
    "gov": "platform-governance",
    "mali": "founder",
    "nok": "viewer",
    "ben": "reviewer",
}
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def halls(served: Served) -> Sources:
    """A tenant with two sources that do not agree on one hall, and everybody it takes."""
    name = {"th": "หอประชุมเมือง", "en": "City halls", "zh": "城市会堂"}
    register_tenant(served.runtime, HALLS, name=name, domain="halls.example", tier="pilot", actor="test")
    for person, role in PEOPLE.items():
        grant_role(served.runtime, HALLS, person=person, role=role, granted_by="test")
    made = Sources(served.runtime, HALLS)
    made.say(
        1, ("name", "en", "Phuket Hall"), ("name", "th", "หอประชุมภูเก็ต"), ("name", "zh", "普吉會堂"),
        ("postalCode", "", "83000"), ("geo", "", "7.88,98.39"), title="Register of halls",
    )  # fmt: skip
    made.say(2, ("name", "en", "Phuket Hall"), ("postalCode", "", "83100"), title="City list")
    made.say(3, ("name", "en", "Kata Pavilion"), entity="can-pavilion", compare=False, title="Press")
    return made


@pytest.fixture(scope="module")
def people(served: Served, halls: Sources) -> Iterator[People]:
    with browser() as opened:
        yield People(opened, served, HALLS)


@pytest.mark.parametrize("language", ["en", "th", "zh"])
def test_every_panel_is_there_in_each_language_and_open_to_everybody(
    people: People, served: Served, language: str
) -> None:
    labels = served.runtime.contracts.labels
    page = people.open("anan", "panel-overview", language=language)
    for panel in PANELS:
        people.go(page, f"panel-{panel}")
        expect(page.locator("h1")).to_have_text(labels["workspace_panels"][f"panel-{panel}"][language])
        expect(page.locator("nav a[aria-current=page]")).to_contain_text(
            labels["workspace_panels"][f"panel-{panel}"][language]
        )
        for text in ("h1", "nav a", "button", "main"):
            fonts = page.locator(text).first.evaluate("element => getComputedStyle(element).fontFamily")
            assert "Noto Sans Thai" in fonts, text  # whoever has no Thai or Chinese font sees boxes otherwise
            assert "Noto Sans SC" in fonts, text
        page.wait_for_timeout(600)
        found = Axe().run(page, options={"resultTypes": ["violations"]})
        bad = [
            (each["id"], [node["html"][:160] for node in each["nodes"]][:3])
            for each in found.response["violations"]
            if each["impact"] in SERIOUS
        ]
        assert bad == [], (panel, json.dumps(bad, indent=1, ensure_ascii=False))


def test_on_a_phone_no_panel_is_wider_than_the_screen(people: People) -> None:
    page = people.open("rin", "panel-overview", width=390)
    for panel in PANELS:
        people.go(page, f"panel-{panel}")
        page.wait_for_timeout(400)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, panel


def test_in_the_dark_the_text_can_still_be_read(people: People) -> None:
    page = people.open("rin", "panel-overview")
    page.get_by_role("button", name="Dark").click()
    for panel in ("overview", "conflict", "coverage", "handoff"):
        people.go(page, f"panel-{panel}")
        page.wait_for_timeout(600)
        found = Axe().run(page, options={"runOnly": ["color-contrast"]})
        assert [node["html"] for each in found.response["violations"] for node in each["nodes"]] == [], panel


def test_three_people_fill_in_the_wizard_at_once(people: People) -> None:
    anan, kanya, rin = (people.open(person, "panel-wizard") for person in ("anan", "kanya", "rin"))
    anan.get_by_label("Name in English").fill("City halls of Phuket")
    for other in (kanya, rin):
        expect(other.get_by_label("Name in English")).to_have_value("City halls of Phuket")
        expect(other.locator(".presence li")).to_have_count(2)
    kanya.get_by_label("Domain").press_sequentially("halls", delay=20)
    rin.get_by_label("Name in Thai").press_sequentially("หอ", delay=20)
    for each in (anan, kanya, rin):
        expect(each.get_by_label("Domain")).to_have_value("halls")
        expect(each.get_by_label("Name in Thai")).to_have_value("หอ")
    anan.get_by_label("Domain").fill("city-halls.example")
    anan.get_by_label("Name in Thai").fill("หอประชุมเมือง")
    anan.get_by_role("button", name="Save").click()
    expect(rin.locator("header .tenant")).to_have_text("City halls of Phuket")
    for each in (anan, kanya, rin):
        expect(each.get_by_text("Now: City halls of Phuket")).to_be_visible()
        expect(each.get_by_label("Name in English")).to_have_value("")


def test_whoever_types_stays_in_their_place_while_another_types_in_the_same_text(people: People) -> None:
    anan, kanya = (people.open(person, "panel-wizard") for person in ("anan", "kanya"))
    mine, theirs = (page.get_by_label("Name in Chinese") for page in (anan, kanya))
    mine.fill("Halls of the city")
    expect(theirs).to_have_value("Halls of the city")
    mine.press("Home")
    for _ in "Halls":
        mine.press("ArrowRight")
    theirs.press("Home")
    theirs.press_sequentially("All ")
    expect(mine).to_have_value("All Halls of the city")
    mine.press_sequentially(" and roofs ")
    expect(theirs).to_have_value("All Halls and roofs  of the city")
    keyboard = anan.context.new_cdp_session(anan)
    keyboard.send("Input.imeSetComposition", {"text": "ni", "selectionStart": 2, "selectionEnd": 2})
    theirs.press("End")
    theirs.press_sequentially("!")
    theirs.press("Home")
    theirs.press_sequentially("*")
    anan.wait_for_timeout(500)
    expect(mine).to_have_value("All Halls and roofs ni of the city")
    keyboard.send("Input.insertText", {"text": "你"})
    mine.press_sequentially(",")
    for each in (mine, theirs):
        expect(each).to_have_value("*All Halls and roofs 你, of the city!")
    mine.fill("😁")
    expect(theirs).to_have_value("😁")
    mine.press("Home")
    mine.press_sequentially("😀")
    for each in (mine, theirs):
        expect(each).to_have_value("😀😁")
    mine.fill("")


def test_what_is_typed_without_a_connection_is_merged_when_it_is_back(people: People) -> None:
    anan, kanya = people.open("anan", "panel-upload"), people.open("kanya", "panel-upload")
    anan.get_by_label("Notes for all").fill("Bring the list.")
    expect(kanya.get_by_label("Notes for all")).to_have_value("Bring the list.")
    kanya.context.set_offline(True)
    kanya.evaluate("dispatchEvent(new Event('offline'))")
    expect(kanya.get_by_text("Not connected.")).to_be_visible()
    notes = kanya.get_by_label("Notes for all")
    notes.press("End")
    notes.press_sequentially(" And the map.")
    anan.get_by_label("Notes for all").press("Home")
    anan.get_by_label("Notes for all").press_sequentially("Please! ")
    kanya.context.set_offline(False)
    for each in (anan, kanya):
        expect(each.get_by_label("Notes for all")).to_have_value("Please! Bring the list. And the map.", timeout=30_000)


def test_a_text_that_two_begin_without_a_connection_has_what_both_wrote_also_after_it_was_saved(
    people: People,
) -> None:
    def go_off(page: Page) -> None:
        expect(page.get_by_label("Data-handling agreement")).to_be_enabled()
        page.context.set_offline(True)
        page.evaluate("dispatchEvent(new Event('offline'))")
        expect(page.get_by_text("Not connected.")).to_be_visible()

    anan, kanya = pages = [people.open(person, "panel-wizard", step="agreement") for person in ("anan", "kanya")]
    mine, theirs = texts = [page.get_by_label("Data-handling agreement") for page in pages]
    for _ in ("new", "saved"):
        for page in pages:
            go_off(page)
        mine.fill("PDPA-1 ")
        theirs.fill("PDPA-2 ")
        for page in pages:
            page.context.set_offline(False)
        for text in texts:
            expect(text).to_have_value(re.compile("^PDPA-(1 PDPA-2|2 PDPA-1) $"))
        go_off(kanya)
        theirs.press("End")
        theirs.press_sequentially("3")
        anan.get_by_role("button", name="Save").click()
        expect(mine).to_have_value("")
        kanya.context.set_offline(False)
        for text in texts:
            expect(text).to_have_value("3")
        mine.fill("")
        expect(theirs).to_have_value("")


def test_a_window_whose_text_the_document_does_not_take_comes_back_slowly(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    kanya = people.open("kanya", "panel-upload")
    notes = kanya.get_by_label("Notes for all")
    expect(notes).to_be_enabled()
    come: list[str] = []
    kanya.on("websocket", lambda socket: come.append(socket.url))
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("tenant_pipeline.api.collaboration.room.LARGEST_DOCUMENT", 0)
        notes.press_sequentially("!")
        expect(kanya.get_by_text("What people edit together takes no more.")).to_be_visible()
        kanya.wait_for_timeout(2000)
        assert come == []
    kanya.evaluate("dispatchEvent(new Event('online'))")
    expect(kanya.get_by_text("Not connected.")).to_have_count(0)
    assert len(come) == 1


def test_nothing_is_written_before_the_document_has_come(people: People, served: Served) -> None:
    anan = people.browser.new_context(locale="en-GB").new_page()
    anan.route_web_socket("**/document", lambda silent: None)
    code = LocalIssuer(served.runtime).sign_in_code("anan", HALLS)
    anan.goto(f"{served.url}/workspace/{HALLS}/panel-wizard#code={code}")
    expect(anan.locator("header .tenant")).to_have_text(re.compile("^City halls"))
    expect(anan.get_by_label("Domain")).to_be_disabled()


def test_what_happens_is_shown_also_after_the_live_log_was_refused_once(people: People, served: Served) -> None:
    anan = people.open("anan", "panel-wizard", step="people")
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=503)

    anan.route("**/events*", refuse, times=1)
    anan.reload()
    expect(anan.get_by_text("mali · Founder")).to_be_visible()
    grant_role(served.runtime, HALLS, person="somchai", role="viewer", granted_by="test")
    expect(anan.get_by_text("somchai · Viewer")).to_be_visible()
    assert len(refused) == 1
    expect(anan.get_by_text("Not connected.")).to_have_count(0)


def test_a_window_that_nobody_looks_at_does_not_listen_and_has_caught_up_when_somebody_does(
    people: People, served: Served
) -> None:
    anan = people.open("anan", "panel-wizard", step="people")

    def look(*, hidden: bool) -> None:
        anan.evaluate(
            """hidden => {
              Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
              document.dispatchEvent(new Event("visibilitychange"));
            }""",
            hidden,
        )

    expect(anan.get_by_text("mali · Founder")).to_be_visible()
    grant_role(served.runtime, HALLS, person="suda", role="viewer", granted_by="test")
    expect(anan.get_by_text("suda · Viewer")).to_be_visible()
    look(hidden=True)
    anan.wait_for_timeout(1500)  # what was heard before is read by then
    grant_role(served.runtime, HALLS, person="prem", role="viewer", granted_by="test")
    anan.wait_for_timeout(1000)
    expect(anan.get_by_text("prem · Viewer")).to_have_count(0)
    with anan.expect_request(re.compile(r"/events\?after=\d+$")):
        look(hidden=False)
    expect(anan.get_by_text("prem · Viewer")).to_be_visible()
    expect(anan.get_by_text("Not connected.")).to_have_count(0)


def test_whose_session_ends_is_told_to_sign_in_and_who_could_not_sign_out_is_told_so(
    people: People, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    kanya = people.open("kanya", "panel-upload")
    kanya.route("**/api/session", lambda route: route.fulfill(status=503), times=1)
    kanya.get_by_role("button", name="Sign out").click()
    expect(kanya.get_by_text("You are still signed in.")).to_be_visible()
    expect(kanya.locator("header .person")).to_have_text("kanya")
    monkeypatch.setattr("tenant_pipeline.api.authentication.verification.LEEWAY_SECONDS", 2)
    token = LocalIssuer(served.runtime).access_token("kanya", HALLS, timedelta(seconds=5))
    kanya.context.add_cookies([{"name": "session", "value": token, "url": served.url}])
    for change in ("offline", "online"):
        kanya.evaluate(f"dispatchEvent(new Event('{change}'))")
    expect(kanya.get_by_role("heading", name="You are not signed in")).to_be_visible()


def test_whoever_signs_in_in_one_window_is_in_all_of_the_browsers_and_nothing_is_done_as_who_was_there_before(
    people: People, served: Served
) -> None:
    first = people.open("kanya", "panel-upload")
    second = first.context.new_page()
    second.goto(f"{served.url}/#code={LocalIssuer(served.runtime).sign_in_code('rin', HALLS)}")
    expect(first.get_by_text("There was another sign-in in this browser.")).to_be_visible()
    for window in (first, second):
        expect(window.locator("header .person")).to_have_text("rin")
    second.close()
    token = LocalIssuer(served.runtime).access_token("ben", HALLS, timedelta(hours=1))
    first.context.add_cookies([{"name": "session", "value": token, "url": served.url}])
    first.get_by_role("button", name="Sign out").click()
    expect(first.locator("header .person")).to_have_text("ben")


def test_what_was_typed_without_a_connection_is_there_when_its_person_is_back_after_the_session_has_ended(
    people: People, served: Served
) -> None:
    kanya, rin = people.open("kanya", "panel-upload"), people.open("rin", "panel-upload")
    notes = kanya.get_by_label("Notes for all")
    kept = "Object.keys(localStorage).filter(each => each.startsWith('unsent'))"

    def type_without_a_connection(text: str) -> None:
        expect(notes).to_be_enabled()
        kanya.context.set_offline(True)
        kanya.evaluate("dispatchEvent(new Event('offline'))")
        expect(kanya.get_by_text("Not connected.")).to_be_visible()
        notes.press("End")
        notes.press_sequentially(text)

    def come_back() -> None:
        code = LocalIssuer(served.runtime).sign_in_code("kanya", HALLS)
        kanya.goto(f"{served.url}/kb/enterprise-upload#code={code}")
        expect(kanya.locator("header .person")).to_have_text("kanya")

    type_without_a_connection(" By the pier.")
    kanya.context.clear_cookies()
    kanya.context.set_offline(False)
    expect(kanya.get_by_role("heading", name="You are not signed in")).to_be_visible()
    assert kanya.evaluate(kept) == [f"unsent|{HALLS}|kanya"]
    come_back()
    for page in (kanya, rin):
        expect(page.get_by_label("Notes for all")).to_have_value(re.compile("By the pier[.]"))
    assert kanya.evaluate(kept) == []
    type_without_a_connection(" Never mind.")
    kanya.context.set_offline(False)
    kanya.get_by_role("button", name="Sign out").click()
    expect(kanya.get_by_role("heading", name="You are not signed in")).to_be_visible()
    assert kanya.evaluate(kept) == []


def test_a_server_that_is_away_for_a_while_signs_nobody_out_and_uses_up_no_link(people: People, served: Served) -> None:
    kanya = people.open("kanya", "panel-upload")

    def comes_in_when_it_is_back(path: str, address: str) -> None:
        kanya.route(f"**/api/{path}", lambda route: route.fulfill(status=503))
        kanya.goto("about:blank")
        kanya.goto(served.url + address)
        expect(kanya.get_by_text("The server cannot be reached")).to_be_visible()
        kanya.unroute(f"**/api/{path}")
        expect(kanya.locator("header .person")).to_have_text("kanya")

    comes_in_when_it_is_back("session", "/")
    comes_in_when_it_is_back("labels", "/")
    kanya.context.clear_cookies()
    link = f"/#code={LocalIssuer(served.runtime).sign_in_code('kanya', HALLS)}"
    comes_in_when_it_is_back("session", link)
    assert "code" not in kanya.url
    kanya.goto("about:blank")
    kanya.goto(served.url + link)  # which was used
    expect(kanya.locator("header .person")).to_have_text("kanya")


def test_what_is_done_is_sent_again_as_the_same_where_its_answer_is_cut_off(people: People) -> None:
    sent = people.open("kanya", "panel-upload").evaluate(
        """async () => {
          const { act } = await import("/static/api.js");
          const fetched = window.fetch;
          const keys = [];
          window.fetch = async (path, options) => {
            if (path !== "/api/done-once") return fetched(path, options);
            keys.push(options.headers["Idempotency-Key"]);
            const cut = new ReadableStream({ start: (body) => body.error(new TypeError("cut off")) });
            const headers = { "Content-Type": "application/json" };
            return new Response(keys.length === 1 ? cut : '{"done": true}', { headers });
          };
          const { done } = await act("/api/done-once");
          return [done, keys.length, new Set(keys).size];
        }"""
    )
    assert sent == [True, 2, 1]


def test_a_conflict_is_signed_with_the_keyboard_its_reason_is_everybodys_and_each_signs_what_they_chose_themselves(
    people: People, halls: Sources
) -> None:
    rin, ben = people.open("rin", "panel-conflict"), people.open("ben", "panel-conflict")
    cell = rin.get_by_role("button", name=re.compile("City list, Postal"))
    expect(cell).to_have_text("1")
    cell.click()
    expect(rin.locator(".items button")).to_have_count(1)
    rin.keyboard.press("j")
    expect(rin.get_by_role("radio").first).to_be_enabled()
    rin.keyboard.press("2")
    mine, theirs = (page.get_by_label("Reason").first for page in (rin, ben))
    mine.fill("The register is newer.")
    item = halls.items(property="postalCode")[0]["conflict_id"]
    people.go(ben, "panel-conflict", item=item)
    expect(theirs).to_have_value("The register is newer.")
    ben.keyboard.press("1")
    expect(ben.get_by_text("rin: 2. 83100")).to_be_visible()
    expect(rin.get_by_text("ben: 1. 83000")).to_be_visible()
    for page, number in ((rin, 2), (ben, 1)):
        expect(page.get_by_role("radio").nth(number - 1)).to_be_checked()
    ben.context.set_offline(True)
    ben.evaluate("dispatchEvent(new Event('offline'))")
    expect(ben.get_by_text("Not connected.")).to_be_visible()
    theirs.press("End")
    theirs.press_sequentially(" Twice.")
    mine.press("Home")
    mine.press_sequentially("Seen: ")
    ben.context.set_offline(False)
    for reason in (mine, theirs):
        expect(reason).to_have_value("Seen: The register is newer. Twice.")
    mine.press("Control+Enter")
    expect(rin.get_by_role("status").get_by_text("Signed")).to_be_visible()
    expect(ben.get_by_text("Signed by rin")).to_be_visible()
    (signed,) = halls.items(**vars(Filter(property="postalCode", status="signed")))
    assert signed["status"] == "signed"
    (signature,) = halls.form(item)["signatures"]
    assert (signature["value"], signature["reason"]) == ("83100", "Seen: The register is newer. Twice.")


def test_why_a_conflict_is_one_is_read_in_the_language_that_the_person_switches_to(
    people: People, halls: Sources
) -> None:
    item = halls.items(property="postalCode")[0]["conflict_id"]
    nok = people.open("nok", "panel-conflict", language="th", item=item, status="signed")
    expect(nok.get_by_text("รหัสต่างกัน และรหัสมีแต่เหมือนหรือเป็นคนละรหัสเท่านั้น")).to_be_visible()
    nok.get_by_label("ภาษา").select_option("zh")
    expect(nok.get_by_text("代码不同；代码要么相同，要么就是另一个。")).to_be_visible()


def test_all_that_a_rule_proposes_is_signed_whatever_the_page_shows(
    people: People, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_signing, "MOST_AT_ONCE", 2)
    name = {"th": "หอประชุมเหนือ", "en": "Northern halls", "zh": "北方会堂"}
    register_tenant(served.runtime, NORTH, name=name, domain="north.example", tier="pilot", actor="test")
    grant_role(served.runtime, NORTH, person="rin", role="reviewer", granted_by="test")
    north = Sources(served.runtime, NORTH)
    for hall in ("can-1", "can-2", "can-3", "can-4", "can-5"):
        north.say(1, ("postalCode", "", "83000"), entity=hall, tier=2, compare=False, title="Register")
        last = north.say(2, ("postalCode", "", "83120"), entity=hall, tier=3, compare=False, title="List")
    with served.runtime.database.tenant(NORTH) as connection:
        connection.execute("UPDATE runtime.statements SET retired_at = NULL WHERE tenant_id = %s", (NORTH,))
    north.compare(last)
    rin = People(people.browser, served, NORTH).open("rin", "panel-conflict", status="signed")
    rin.get_by_text("Sign by rule").click()
    expect(rin.get_by_role("combobox", name="Rule")).to_have_text("Authority tier · differs (5)")
    rin.get_by_role("button", name="Show the list").click()
    expect(rin.get_by_text("5 items")).to_be_visible()
    rin.get_by_label("Reason").last.fill("The register decides.")
    rin.get_by_role("button", name="Sign all (5)").click()
    expect(rin.get_by_role("status").get_by_text("Signed: 5 / 5")).to_be_visible()
    assert {item["status"] for item in north.items()} == {"signed"}


def test_each_sees_just_what_is_theirs_to_do(people: People) -> None:
    nok = people.open("nok", "panel-upload")
    expect(nok.get_by_role("button", name="Hand in")).to_have_count(0)
    people.go(nok, "panel-handoff")
    expect(nok.get_by_role("button", name="Ask to publish the draft")).to_have_count(0)
    expect(nok.get_by_label("The open conflicts were looked at")).to_be_disabled()
    rin = people.open("rin", "panel-coverage")
    expect(rin.get_by_role("meter").first).to_be_visible()
    expect(rin.get_by_text("Answer for it in spite of the score")).to_have_count(0)
    gov = people.open("gov", "panel-coverage")
    overridable = [each for each in people.served.runtime.contracts.coverage_dimensions if each.overridable]
    expect(gov.get_by_text("Answer for it in spite of the score")).to_have_count(len(overridable))
    for name in ("Traceability", "Rights and privacy"):
        expect(gov.get_by_role("region", name=name).get_by_role("meter")).to_be_visible()
        expect(gov.get_by_role("region", name=name).get_by_text("Answer for it")).to_have_count(0)
    gov.get_by_text("Answer for it in spite of the score").first.click()
    expect(gov.get_by_role("button", name="Give an override").first).to_be_visible()


def _reviewed_by_rin(served: Served, tenant: str) -> Sources:
    """A new tenant without sources."""
    made = Sources(served.runtime, TenantId(tenant))
    name = {"th": "หอประชุม", "en": "Halls", "zh": "会堂"}
    register_tenant(served.runtime, made.tenant, name=name, domain="new.example", tier="pilot", actor="test")
    grant_role(served.runtime, made.tenant, person="rin", role="reviewer", granted_by="test")
    return made


def test_what_is_saved_is_what_the_page_shows(people: People, served: Served) -> None:
    made = _reviewed_by_rin(served, "halls-with-answers")
    grant_role(served.runtime, made.tenant, person="anan", role="tenant-admin", granted_by="test")
    own = People(people.browser, served, made.tenant)
    anan = own.open("anan", "panel-wizard")
    anan.get_by_label("Domain").fill("only-typed.example")
    own.go(anan, "panel-wizard", step="agreement")
    agreement = anan.get_by_label("Data-handling agreement")
    agreement.fill("PDPA-7")
    anan.get_by_role("button", name="Save").click()
    expect(anan.get_by_text("Now: PDPA-7")).to_be_visible()
    expect(agreement).to_have_value("")
    row = show_tenant(served.runtime, made.tenant)
    assert (row["domain"], row["pdpa_agreement_ref"]) == ("new.example", "PDPA-7")
    own.go(anan, "panel-wizard", step="identity")
    expect(anan.get_by_label("Domain")).to_have_value("only-typed.example")
    anan.route(
        f"**/api/tenant/{made.tenant}",
        lambda route: route.fulfill(status=503) if route.request.method == "GET" else route.fallback(),
    )
    for language, name in (("Thai", "หอประชุมใหม่"), ("Chinese", "新会堂")):
        typed = anan.get_by_label(f"Name in {language}")
        typed.fill(name)
        anan.get_by_role("button", name="Save").click()
        expect(typed).to_have_value("")
    row = show_tenant(served.runtime, made.tenant)
    assert row["name"] == {"th": "หอประชุมใหม่", "en": "Halls", "zh": "新会堂"}
    assert row["domain"] == "only-typed.example"


def test_counts_of_a_while_ago_are_told_to_be_so_where_counting_takes_long(people: People, served: Served) -> None:
    made = _reviewed_by_rin(served, "halls-by-thousands")
    made.say(1, ("name", "th", "หอประชุม"), title="Register")
    rin = People(people.browser, served, made.tenant).open("rin", "panel-coverage")
    expect(rin.get_by_role("meter").first).to_be_visible()
    expect(rin.get_by_text("As counted at")).to_have_count(0)
    with served.runtime.database.tenant(made.tenant) as connection:
        connection.execute("UPDATE runtime.coverage_counts SET seconds = 3600 WHERE tenant_id = %s", (made.tenant,))
    made.say(2, ("name", "zh", "会堂"), title="List")
    expect(rin.get_by_text("As counted at")).to_have_count(2)  # the score, and what would lift it
    assert verdict_of_tenant(served.runtime, made.tenant).reasons
    rin.reload()
    expect(rin.get_by_role("meter").first).to_be_visible()
    expect(rin.get_by_text("As counted at")).to_have_count(1)


def test_an_item_that_is_over_is_found_and_is_not_to_be_signed(people: People, served: Served) -> None:
    made = _reviewed_by_rin(served, "halls-at-one")
    made.say(1, ("postalCode", "", "83000"), title="Register")
    made.say(2, ("postalCode", "", "83100"), title="List")
    made.say(2, ("postalCode", "", "83000"), title="List")
    rin = People(people.browser, served, made.tenant).open("rin", "panel-conflict")
    rin.get_by_label("Status").select_option("no longer disputed")
    rin.get_by_role("button", name="Postal code").click()
    expect(rin.locator(".badge.is-stale")).to_have_text("no longer disputed")
    expect(rin.get_by_role("radio").first).to_be_disabled()
    expect(rin.get_by_role("button", name="Sign ·")).to_have_count(0)


@pytest.mark.parametrize("chosen", ["2", ""])
def test_what_was_chosen_of_other_candidates_is_not_signed(people: People, served: Served, chosen: str) -> None:
    made = _reviewed_by_rin(served, f"halls-changing-{chosen or 'untouched'}")
    made.say(5, ("postalCode", "", "83000"), title="Register")
    made.say(7, ("postalCode", "", "83100"), title="List")
    rin = People(people.browser, served, made.tenant).open("rin", "panel-conflict")
    rin.locator(".items button").click()
    expect(rin.get_by_role("radio", name="83100")).to_be_enabled()
    rin.keyboard.press(chosen or "Shift")
    reason = rin.get_by_label("Reason").first
    reason.fill("The list is newer.")
    made.say(3, ("postalCode", "", "83200"), title="Press")
    expect(rin.get_by_role("alert")).to_contain_text("Choose again.")
    expect(rin.get_by_role("radio", name="83200")).to_be_visible()
    expect(rin.get_by_role("radio", checked=True)).to_have_count(0)
    reason.press("End")
    reason.press_sequentially(" Twice.")
    reason.press("Control+Enter")
    expect(rin.get_by_role("button", name="Sign ·")).to_be_disabled()
    assert made.item()["status"] == "open"
    rin.get_by_role("radio", name="83100").check()
    expect(rin.get_by_role("alert")).to_have_count(0)
    rin.get_by_role("button", name="Sign ·").click()
    expect(rin.get_by_role("status").get_by_text("Signed")).to_be_visible()
    (signature,) = made.form(made.item()["conflict_id"])["signatures"]
    assert (signature["value"], signature["reason"]) == ("83100", "The list is newer. Twice.")


def test_a_person_finds_the_panels_as_they_left_them_on_another_device(people: People) -> None:
    ben = people.open("ben", "panel-conflict", status="signed")
    with ben.expect_response(lambda answer: "/workspace/panels" in answer.url and answer.request.method == "PUT"):
        ben.get_by_label("Expert").check()
    code = LocalIssuer(people.served.runtime).sign_in_code("ben", people.tenant)
    other = people.browser.new_context().new_page()
    other.goto(f"{people.served.url}/#code={code}")
    expect(other.get_by_label("Status")).to_have_value("signed")
    expect(other.get_by_label("Expert")).to_be_checked()
    other.get_by_role("link", name="Coverage", exact=True).click()
    expect(other.get_by_role("meter").first).to_be_visible()
    other.get_by_role("link", name="Conflicts", exact=True).click()
    expect(other).to_have_url(re.compile(r"panel-conflict\?status=signed$"))
    nok = people.browser.new_context().new_page()
    code = LocalIssuer(people.served.runtime).sign_in_code("nok", people.tenant)
    nok.goto(f"{people.served.url}/#code={code}")
    expect(nok.get_by_label("Expert")).not_to_be_checked()
    nok.route("**/workspace/panels", lambda route: route.fulfill(status=503))
    nok.reload()
    expect(nok.locator("header .person")).to_have_text("nok")


def test_what_a_role_may_do_is_offered_to_it_and_to_no_other(people: People) -> None:
    offered = {
        "panel-upload": ("Hand in", {"kanya", "anan"}),
        "panel-handoff": ("Ask to publish the draft", {"kanya", "rin", "anan", "gov"}),
        "panel-wizard?step=people": ("Add", {"anan", "gov"}),
        "panel-wizard": ("Save", set(PEOPLE)),
    }
    for person in ("rin", "anan", "gov", "nok"):
        page = people.open(person, "panel-overview")
        for place, (button, whose) in offered.items():
            people.go(page, *place.split("?")[:1], **dict(each.split("=") for each in place.split("?")[1:]))
            page.locator("main :is(button, input, p)").first.wait_for()
            expected = 1 if person in whose else 0
            expect(page.get_by_role("button", name=button, exact=True)).to_have_count(expected)


def test_what_the_roles_of_a_person_do_not_write_cannot_be_typed_in(people: People, halls: Sources) -> None:
    nok = people.open("nok", "panel-wizard")
    expect(nok.get_by_label("Domain")).to_be_disabled()
    people.go(nok, "panel-conflict", item=halls.items(property="postalCode")[0]["conflict_id"])
    expect(nok.get_by_role("radio").first).to_be_disabled()
    anan = people.open("anan", "panel-wizard")
    expect(anan.get_by_label("Domain")).to_be_enabled()


def test_where_a_source_cannot_be_read_nothing_of_another_stands_there_and_its_own_stays(
    people: People, served: Served, tmp_path: Path
) -> None:
    made = _reviewed_by_rin(served, "halls-to-read")
    grant_role(served.runtime, made.tenant, person="anan", role="tenant-admin", granted_by="test")
    own = People(people.browser, served, made.tenant)

    def handed_in(title: str) -> str:
        path = tmp_path / title
        path.write_text(f"name_en\n{title}\n")
        return add_source(
            served.runtime, made.tenant, origin=Origin.REGULATOR, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)],
            title=title, actor="kanya",
        ).id  # fmt: skip

    one, another = (handed_in(title) for title in ("one.csv", "another.csv"))

    def refuse(route: Route) -> None:
        said = {"title": "The database is away", "status": 503, "code": "outage"}
        route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(said))

    def something_happens() -> None:
        with served.runtime.database.tenant(made.tenant) as connection:
            entry = AuditEntry(actor="test", action="stage.complete", subject=f"{one}:extract", details={})
            served.runtime.audit.append(connection, made.tenant, [entry])

    anan = own.open("anan", "panel-normalise", source=one)
    deed, told = anan.get_by_text("Withdraw the source"), anan.get_by_role("alert")
    expect(deed).to_be_visible()
    anan.route(f"**/sources/{another}", refuse)
    own.go(anan, "panel-normalise", source=another)
    expect(told).to_have_text(re.compile("The database is away"))
    expect(deed).to_have_count(0)
    anan.unroute(f"**/sources/{another}")
    expect(deed).to_be_visible()  # though nothing has happened
    expect(told).to_have_count(0)
    anan.route(f"**/sources/{another}", refuse)
    something_happens()
    expect(told).to_be_visible()
    expect(deed).to_be_visible()


def test_who_has_no_role_here_sees_nothing(people: People, served: Served) -> None:
    page = people.browser.new_context(locale="en-GB").new_page()
    page.goto(f"{served.url}/#code={LocalIssuer(served.runtime).sign_in_code('stranger', HALLS)}")
    expect(page.get_by_role("heading", name="You have no role here yet")).to_be_visible()
    page.goto(f"{served.url}/workspace/{HALLS}/panel-conflict")
    expect(page.get_by_role("heading", name="You have no role here yet")).to_be_visible()
    assert "Phuket Hall" not in page.content()


def test_an_address_without_a_tenant_leads_to_its_panel(people: People, served: Served) -> None:
    kanya = people.open("kanya", "panel-coverage")
    for address, panel in (("enterprise-upload", "panel-upload"), ("intake-workspace", "panel-overview")):
        kanya.goto(f"{served.url}/kb/{address}")
        expect(kanya).to_have_url(f"{served.url}/workspace/{HALLS}/{panel}")
        expect(kanya.locator("header .person")).to_have_text("kanya")


def test_whoever_is_at_home_elsewhere_sees_nothing_of_this_tenant(people: People, served: Served) -> None:
    page = people.browser.new_context(locale="en-GB").new_page()
    page.goto(f"{served.url}/#code={LocalIssuer(served.runtime).sign_in_code('eve', OTHER)}")
    expect(page.locator("header .person")).to_have_text("eve")
    page.goto(f"{served.url}/workspace/{HALLS}/panel-conflict")
    for panel in PANELS:
        people.go(page, f"panel-{panel}")
        page.wait_for_timeout(300)
        assert "Hall of" not in page.content()
        assert "Phuket Hall" not in page.content()
        assert "City halls" not in page.content()


def test_an_outsider_sees_nothing(people: People, served: Served) -> None:
    context = people.browser.new_context()
    page = context.new_page()
    page.goto(f"{served.url}/workspace/{HALLS}/panel-conflict")
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    assert "Phuket Hall" not in page.content()


def test_from_draft_to_signed_release(people: People, halls: Sources) -> None:
    for item in halls.items(status="open"):
        signer = Signer("ben", "reviewer", "Looked it up")
        choice = Choice(Decision.CANDIDATE, 1)
        resolve(
            halls.runtime, HALLS, item["conflict_id"], digest=item["candidates_digest"], choice=choice, signer=signer
        )
    settle(halls)
    kanya = people.open("kanya", "panel-handoff")
    kanya.get_by_label("Reason").first.fill("The first release")
    kanya.get_by_role("button", name="Ask to publish the draft").click()
    expect(kanya.get_by_text("Review gate").or_(kanya.get_by_text("Waiting")).first).to_be_visible(timeout=90_000)
    anan = people.open("anan", "panel-review-queue")
    anan.get_by_role("link", name="Look at what would change").first.click()
    brought = anan.get_by_role("region", name="What the first release brings")
    expect(brought.get_by_role("row", name=re.compile("Phuket Hall Postal code"))).to_contain_text("83")
    anan.get_by_label("The open conflicts were looked at").check()
    expect(anan.get_by_text(re.compile("^anan · "))).to_be_visible()
    anan.get_by_role("button", name=re.compile("Sign · Tenant admin")).first.click()
    expect(anan.get_by_role("status").get_by_text("Signed")).to_be_visible()
    kanya.get_by_role("link", name="Overview").click()
    expect(kanya.locator(".card .figure").first).to_be_visible()


def test_a_folder_is_dropped_inspected_and_handed_in(people: People, served: Served, tmp_path: Path) -> None:
    folder = tmp_path / "halls"
    (folder / "notes").mkdir(parents=True)
    (folder / "list.csv").write_text("name_en,capacity\nHall A,100\n")
    (folder / "notes" / "read me.txt").write_text("อ่านก่อน")
    kanya = people.open("kanya", "panel-upload", origin="regulator")
    expect(kanya.get_by_label("Regulator")).to_be_checked()
    kanya.locator("input[webkitdirectory]").set_input_files(folder)
    expect(kanya.get_by_text("halls/notes/read me.txt")).to_be_visible()
    expect(kanya.get_by_label("Folder", exact=True)).to_be_checked()
    expect(kanya.get_by_text("Without it the tenant cannot go live.")).to_be_visible()
    kanya.get_by_label("Licence or agreement").fill("Open data")
    expect(kanya.get_by_text("Without it the tenant cannot go live.")).to_have_count(0)
    kanya.get_by_role("button", name="Inspect").click()
    expect(kanya.get_by_text("1 × 2")).to_be_visible()
    kanya.get_by_role("button", name="Hand in").click()
    expect(kanya.locator("h1")).to_have_text("Normalise")
    handed_in = {source.title: source for source in list_sources(served.runtime, HALLS)}["halls"]
    assert (str(handed_in.origin), str(handed_in.unit_mode)) == ("regulator", "folder")
    expect(kanya.get_by_role("log")).to_contain_text("source.add")
    people.go(kanya, "panel-normalise", source=handed_in.id, stage="extract")
    expect(kanya.get_by_role("log")).to_have_text("There is nothing here yet.")
    with served.runtime.database.tenant(HALLS) as connection:
        entry = AuditEntry(actor="test", action="stage.complete", subject=f"{handed_in.id}:extract", details={})
        served.runtime.audit.append(connection, HALLS, [entry])
    expect(kanya.get_by_role("log")).to_contain_text("stage.complete")
    kanya.reload()
    expect(kanya.get_by_role("log")).to_contain_text("stage.complete")
    expect(kanya.get_by_role("log")).not_to_contain_text("source.add")


def test_a_folder_of_thousands_of_files_is_counted_whole_and_drawn_in_part(people: People) -> None:
    kanya = people.open("kanya", "panel-upload")
    kanya.locator("input[type=file]").first.evaluate(
        """picker => {
          const chosen = new DataTransfer();
          for (let each = 0; each < 2000; each += 1) chosen.items.add(new File([], `${each}.csv`));
          picker.files = chosen.files;
          picker.dispatchEvent(new Event("change"));
        }"""
    )
    expect(kanya.get_by_text("0 of 2,000 files are sent")).to_be_visible()
    expect(kanya.get_by_text("Only the first are shown.")).to_be_visible()
    assert kanya.locator("main li").count() <= 300
    kanya.get_by_role("button", name="Remove").first.click()
    expect(kanya.get_by_text("0 of 1,999 files are sent")).to_be_visible()


def test_an_upload_that_is_refused_is_told_also_to_whoever_has_gone_elsewhere(people: People, tmp_path: Path) -> None:
    listed = tmp_path / "terraces.csv"
    listed.write_text("name_en\nTerrace\n")
    waiting: list[Route] = []

    def refuse(route: Route) -> None:
        said = {"title": "Not under this name", "status": 409, "code": "metadata-invalid"}
        route.fulfill(status=409, content_type="application/problem+json", body=json.dumps(said))

    def hand_in_and_leave() -> Route:
        people.go(kanya, "panel-upload")
        kanya.locator("input[type=file]").first.set_input_files(listed)
        kanya.get_by_role("button", name="Hand in").click()
        while not waiting:
            kanya.wait_for_timeout(50)
        people.go(kanya, "panel-coverage")
        return waiting.pop()

    kanya = people.open("kanya", "panel-upload")
    kanya.route("**/uploads", refuse, times=1)
    kanya.locator("input[type=file]").first.set_input_files(listed)
    kanya.get_by_role("button", name="Hand in").click()
    told = kanya.locator("main li").get_by_role("alert")
    expect(told).to_have_text(re.compile("Not under this name"))
    kanya.locator("input[type=file]").first.set_input_files(listed)
    expect(told).to_have_count(0)
    kanya.get_by_role("button", name="Remove").click()
    expect(kanya.locator("main progress")).to_have_count(0)
    kanya.route("**/source/upload", lambda route: waiting.append(route), times=2)
    refuse(hand_in_and_leave())
    expect(kanya.get_by_role("status").get_by_text("terraces.csv: Not under this name")).to_be_visible()
    hand_in_and_leave().continue_()
    expect(kanya.get_by_role("status").get_by_text("Handed in.")).to_be_visible()
    expect(kanya.locator("h1")).to_have_text("Coverage")


def test_files_that_are_chosen_again_before_they_are_handed_in_go_on_and_one_that_is_taken_out_is_given_up(
    people: People, served: Served, tmp_path: Path
) -> None:
    paths = [tmp_path / name for name in ("north-roof.csv", "south-roof.csv")]
    for path in paths:
        path.write_text("name_en\nRoof\n")

    def uploads() -> list[bool]:
        with served.runtime.database.tenant(HALLS) as connection:
            rows = connection.execute(
                "SELECT ended_at IS NULL AS counts FROM runtime.uploads WHERE tenant_id = %s AND begun_at >= %s",
                (HALLS, began),
            ).fetchall()
        return [row["counts"] for row in rows]

    began = served.runtime.now()
    kanya = people.open("kanya", "panel-upload")
    kanya.route("**/uploads/*", lambda route: route.fulfill(status=401), times=1)
    kanya.locator("input[type=file]").first.set_input_files(paths)
    kanya.get_by_role("button", name="Hand in").click()
    expect(kanya.get_by_role("alert")).to_have_count(2)  # of the file, and of the whole
    kanya.route("**/source/upload", lambda route: route.fulfill(status=503), times=4)
    for anew in (False, False, True, True):
        if anew:
            kanya.reload()
        kanya.locator("input[type=file]").first.set_input_files(paths)
        with kanya.expect_response("**/source/upload"):
            kanya.get_by_role("button", name="Hand in").click()
    assert uploads() == [True, True]
    with kanya.expect_response(lambda answer: answer.request.method == "DELETE"):
        kanya.get_by_role("button", name="Remove").first.click()
    assert sorted(uploads()) == [False, True]
    kanya.get_by_role("button", name="Hand in").click()
    expect(kanya.locator("h1")).to_have_text("Normalise")
    assert uploads() == [False, False]

    people.go(kanya, "panel-upload")
    begun: list[Route] = []
    kanya.route("**/uploads", lambda route: begun.append(route))
    kanya.locator("input[type=file]").first.set_input_files(paths[0])
    kanya.get_by_role("button", name="Hand in").click()
    for name in ("Pause", "Resume", "Pause", "Remove"):
        kanya.get_by_role("button", name=name).click()
    assert len(begun) == 1
    with kanya.expect_response(lambda answer: answer.request.method == "DELETE"):
        begun[0].continue_()
    kanya.unroute("**/uploads")  # the page is used again by later tests
    assert uploads() == [False, False, False]


def test_a_link_and_an_ai_bundle_are_handed_in(people: People, served: Served, tmp_path: Path) -> None:
    bundle = tmp_path / "chats.zip"
    with ZipFile(bundle, "w") as archive:
        archive.writestr("conversations.json", "[]")
    settings = served.runtime.settings.model_copy(update={"loopback_links": True})
    fetching = Runtime(**{**vars(served.runtime), "settings": settings})
    with serve() as site, serving(fetching) as url:
        register = site.answer("/register.csv", Answer(b"name_en,capacity\nHall A,100\n"))
        kanya = replace(people, served=Served(fetching, url)).open("kanya", "panel-upload")
        origins = kanya.locator("input[type=radio][name=source_origins]")
        expect(origins).to_have_count(13)
        assert {each.get_attribute("value") for each in origins.all()} == set(map(str, Origin))
        expect(kanya.locator("input[type=radio][name=unit_modes]")).to_have_count(4)
        kanya.get_by_role("radio", name="Regulator").check()
        kanya.get_by_role("radio", name="Link", exact=True).check()
        kanya.get_by_label("Title").first.fill("Register by link")
        kanya.locator("input[type=url]").first.fill(register)
        kanya.get_by_role("button", name="Hand in").click()
        expect(kanya.locator("h1")).to_have_text("Normalise")
        people.go(kanya, "panel-upload")
        kanya.get_by_role("radio", name="ChatGPT").check()
        kanya.locator("input[type=radio][value=ai-bundle]").check()
        kanya.locator("input[type=file]").first.set_input_files(bundle)
        kanya.get_by_label("Title").first.fill("Chats of a planner")
        kanya.get_by_role("button", name="Hand in").click()
        expect(kanya.locator("h1")).to_have_text("Normalise")
    handed_in = {each.title: (str(each.origin), str(each.unit_mode)) for each in list_sources(served.runtime, HALLS)}
    assert handed_in["Register by link"] == ("regulator", "link")
    assert handed_in["Chats of a planner"] == ("chatgpt", "ai-bundle")


def test_a_large_upload_that_is_cut_off_goes_on_where_it_was(people: People, served: Served, tmp_path: Path) -> None:
    size = int(os.environ.get("TENANT_RUNTIME_TEST_UPLOAD_BYTES", 128 * 1024 * 1024))
    big = tmp_path / "big.bin"
    with big.open("wb") as file:
        file.truncate(size)
    with network_before(served.url) as network:
        afar = replace(people, served=replace(served, url=network.url))
        kanya = afar.open("kanya", "panel-upload")
        begun: list[int] = []
        kanya.on(
            "request",
            lambda sent: begun.append(int(sent.headers["upload-offset"])) if sent.method == "PATCH" else None,
        )
        network.bytes_a_second = 8 * 1024 * 1024
        kanya.locator("input[type=file]").first.set_input_files(big)
        kanya.get_by_role("button", name="Hand in").click()
        _until_sent(kanya, 30e6)  # more than the sockets between them hold (20 MB), so that some of it has arrived
        network.cut()
        kanya.wait_for_timeout(1000)
        network.bytes_a_second = 4 * 1024 * 1024
        network.mend()
        _until_sent(kanya, 60e6)  # and of what is sent after it, all of 30 MB may have arrived before
        network.bytes_a_second = 256 * 1024  # so slow that a busy machine pauses it before it has ended
        kanya.get_by_role("button", name="Pause").click()
        expect(kanya.get_by_role("button", name="Resume")).to_be_visible()
        network.bytes_a_second = None
        kanya.get_by_role("button", name="Hand in").click()
        expect(kanya.locator("h1")).to_have_text("Normalise", timeout=600_000)
    with served.runtime.database.tenant(HALLS) as connection:
        row = connection.execute(
            "SELECT sha256 FROM runtime.uploads WHERE tenant_id = %s AND length = %s", (HALLS, size)
        ).fetchone()
    assert row is not None
    # Each time from where it had come to, never again from the beginning; Playwright tells of a request more than once.
    assert begun == sorted(begun)
    assert len(set(begun)) >= 3
    with big.open("rb") as file:
        assert row["sha256"] == hashlib.file_digest(file, "sha256").hexdigest()


def test_an_uploads_progress_goes_back_to_what_has_arrived(people: People) -> None:
    sent = people.open("kanya", "panel-upload").evaluate(
        """async () => {
          const { Sending } = await import("/static/uploading.js");
          const sending = new Sending(new File(["0".repeat(100)], "halls.csv"), "halls.csv", () => {});
          Object.assign(sending, { place: "/uploads/1", state: "sending", shown: 90 });
          window.fetch = async () => new Response(null, { headers: { "Upload-Offset": "40" } });
          const before = sending.sent;
          await sending.find();
          return [before, sending.sent];
        }"""
    )
    assert sent == [90, 40]


def test_a_feeds_held_version_is_let_in_by_a_person(people: People, served: Served) -> None:
    settings = served.runtime.settings.model_copy(update={"loopback_links": True})
    fetching = Runtime(**{**vars(served.runtime), "settings": settings})
    with serve() as site:
        url = site.answer("/halls.csv", Answer(b"name_en,capacity\nHall A,100\n"))
        schedule = Schedule("0 6 * * *", "Asia/Bangkok")
        wanted = NewFeed("Register by feed", url, Origin.REGULATOR, schedule, Expectations(least_rows=10))
        feed = add_feed(fetching, HALLS, wanted, actor="test")
        poll_feed(fetching, HALLS, feed.id)
    rin = people.open("rin", "panel-upload")
    card = rin.locator("article").filter(has_text="Register by feed")
    card.get_by_text("Versions").click()
    expect(card.get_by_text("waits for a person")).to_be_visible()
    card.get_by_label("Reason").fill("It is a short list indeed.")
    card.get_by_role("button", name="Let it in").click()
    expect(card.get_by_text("let in · rin")).to_be_visible()


def _until_sent(page: Page, size: float) -> None:
    page.wait_for_function("size => document.querySelector('main progress')?.value >= size", arg=size, timeout=300_000)

"""Signing in at an OpenID provider's own page, and everything that only looks like it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from html import unescape
from pathlib import Path
from re import findall
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from playwright.sync_api import expect
from pydantic import SecretStr

from tenant_pipeline.services.access import revoke_tokens_of
from tenant_pipeline.services.runtime import Runtime
from tests.api.browser import browser, needs_browser
from tests.api.conftest import OTHER, OWN, Served, serving
from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent
CLIENT, SECRET = "workspace", "a secret: with / and +"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of a provider that runs as a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "tests.api.openid_provider", str(port), CLIENT, SECRET, OWN]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        until = time.monotonic() + 180
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def trusting(runtime: Runtime, provider: str) -> Iterator[Served]:
    """A server that trusts that provider."""
    changes = {"oidc_issuer": provider, "oidc_client_id": CLIENT, "oidc_client_secret": SecretStr(SECRET)}
    changed = Runtime(**{**vars(runtime), "settings": runtime.settings.model_copy(update=changes)})
    with serving(changed) as url:
        yield Served(changed, url)


class Traveller:
    """Somebody with a browser, step by step."""

    def __init__(self, served: Served) -> None:
        self.client = httpx.Client(base_url=served.url, trust_env=False, timeout=30)

    def leave(self, to: str = "/") -> str:
        """The address of the provider's page."""
        answer = self.client.get("/api/sign-in/openid", params={"to": to})
        assert answer.status_code == 303
        return answer.headers["location"]

    def sign_in(self, page: str, person: str) -> str:
        """The address back, after signing in at the page as that person."""
        fields = dict(findall(r'name=(\w+) value="([^"]*)"', httpx.get(page, trust_env=False).text))
        said = {name: unescape(value) for name, value in fields.items()} | {"person": person}
        return httpx.post(page, data=said, trust_env=False).headers["location"]

    def come_back(self, address: str) -> str:
        """Where one is led to in the end."""
        answer = self.client.get(address)
        assert answer.status_code == 303
        return answer.headers["location"]

    def is_in(self) -> bool:
        return self.client.get(f"/api/tenant/{OWN}").status_code == 200


def test_who_signs_in_at_the_provider_is_in_their_tenant_only(trusting: Served) -> None:
    anan = Traveller(trusting)
    place = f"/workspace/{OWN}/panel-conflict?status=signed"
    back = anan.sign_in(anan.leave(place), "anan")
    answer = anan.client.get(back)
    assert answer.headers["location"] == place
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("session=")]
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
    assert anan.is_in()
    assert anan.client.get("/api/session").json()["roles"] == ["tenant-admin"]
    assert anan.client.get(f"/api/tenant/{OTHER}").status_code == 404


def test_what_goes_to_the_provider_tells_no_secret_and_is_new_each_time(trusting: Served) -> None:
    asked = [parse_qs(urlsplit(Traveller(trusting).leave()).query) for _ in range(2)]
    for each in asked:
        assert each["code_challenge_method"] == ["S256"]
        assert each["redirect_uri"] == [f"{trusting.url}/api/sign-in/openid/back"]
        assert "code_verifier" not in each
        assert SECRET not in str(each)
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]


@pytest.mark.parametrize("wrong", ["nonce", "audience", "issuer", "key", "expired", "party", "tenant"])
def test_an_id_token_that_is_wrong_in_one_thing_begins_no_session(trusting: Served, wrong: str) -> None:
    anan = Traveller(trusting)
    assert anan.come_back(anan.sign_in(anan.leave(), f"anan!{wrong}")) == "/#sign-in=refused"
    assert not anan.is_in()


def test_a_code_is_good_once(trusting: Served) -> None:
    anan = Traveller(trusting)
    page = anan.leave()
    kept = dict(anan.client.cookies)
    back = anan.sign_in(page, "anan")
    assert anan.come_back(back) == "/"
    thief = Traveller(trusting)
    thief.client.cookies.update(kept)
    assert thief.come_back(back) == "/#sign-in=refused"
    assert not thief.is_in()


def test_an_attempt_is_good_once_even_with_another_code(trusting: Served) -> None:
    anan = Traveller(trusting)
    page = anan.leave()
    kept = dict(anan.client.cookies)
    assert anan.come_back(anan.sign_in(page, "anan")) == "/"
    again = Traveller(trusting)
    again.client.cookies.update(kept)
    assert again.come_back(again.sign_in(page, "anan")) == "/#sign-in=refused"
    assert not again.is_in()


def test_nobody_is_signed_in_by_an_address_that_another_made(trusting: Served) -> None:
    attacker, victim = Traveller(trusting), Traveller(trusting)
    back = attacker.sign_in(attacker.leave(), "anan")
    assert victim.come_back(back) == "/#sign-in=refused"  # without an attempt of their own
    victim.leave()
    assert victim.come_back(back) == "/#sign-in=refused"  # with one, of another state
    assert not victim.is_in()


@pytest.mark.parametrize("forged", ["state=forged", "iss=https%3A%2F%2Felse.example", "code="])
def test_a_changed_answer_begins_no_session(trusting: Served, forged: str) -> None:
    anan = Traveller(trusting)
    back = httpx.URL(anan.sign_in(anan.leave(), "anan"))
    name, _, _ = forged.partition("=")
    changed = back.copy_remove_param(name)
    assert anan.come_back(f"{changed}&{forged}") == "/#sign-in=refused"
    assert not anan.is_in()


def test_a_changed_attempt_is_not_ours(trusting: Served) -> None:
    anan = Traveller(trusting)
    back = anan.sign_in(anan.leave(), "anan")
    head, body, signature = anan.client.cookies["sign-in"].split(".")
    anan.client.cookies.clear()
    anan.client.cookies.set("sign-in", f"{head}.{body}.{signature[::-1]}")
    assert anan.come_back(back) == "/#sign-in=refused"


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "/api/session"])
def test_nobody_is_led_elsewhere(trusting: Served, to: str) -> None:
    assert Traveller(trusting).client.get("/api/sign-in/openid", params={"to": to}).status_code == 422


def test_a_session_ends_when_it_is_taken_back(trusting: Served) -> None:
    wei = Traveller(trusting)
    wei.come_back(wei.sign_in(wei.leave(), "wei"))
    assert wei.is_in()
    revoke_tokens_of(trusting.runtime, OWN, "wei", revoked_by="anan")
    assert not wei.is_in()


def test_without_a_provider_there_is_no_such_way(served: Served) -> None:
    with served.client(None) as client:
        assert client.get("/api/sign-in").json() == {"openid": False}
        assert client.get("/api/sign-in/openid").status_code == 404
        assert client.get("/api/sign-in/openid/back").status_code == 404


def test_a_provider_that_does_not_answer_is_told(runtime: Runtime) -> None:
    changes = {"oidc_issuer": f"http://127.0.0.1:{free_port()}", "oidc_client_id": CLIENT}
    changed = Runtime(**{**vars(runtime), "settings": runtime.settings.model_copy(update=changes)})
    with serving(changed) as url:
        assert Traveller(Served(changed, url)).leave() == "/#sign-in=unreachable"


@pytest.mark.slow
@needs_browser
def test_in_a_browser_it_leads_back_to_where_one_was(trusting: Served) -> None:
    with browser() as opened:
        page = opened.new_context(locale="en-GB").new_page()
        page.goto(f"{trusting.url}/workspace/{OWN}/panel-coverage")
        page.get_by_role("link", name="Sign in with your organisation").click()
        page.get_by_label("Name").fill("rin!nonce")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("The sign-in did not come about. Try again.")
        title = quote("หอประชุมริมน้ำ" * 5)  # of which each letter takes nine characters in an address
        page.goto(f"{trusting.url}/workspace/{OWN}/panel-coverage?title={title}")
        page.get_by_role("link", name="Sign in with your organisation").click()
        page.get_by_label("Name").fill("rin")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("header .person")).to_have_text("rin")
        expect(page.locator("h1")).to_have_text("Coverage")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("link", name="Sign in with your organisation")).to_be_visible()

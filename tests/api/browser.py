"""A real browser, where there is one: Chromium of this machine, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.core.tenancy import TenantId
from tests.api.conftest import Served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
expect.set_options(timeout=15_000)


@dataclass
class People:
    """Opens the workspace for people, each in a browser of their own, and keeps what went wrong in any."""

    browser: Browser
    served: Served
    tenant: TenantId
    complaints: list[str] = field(default_factory=list)

    def open(self, person: str, panel: str, *, language: str = "en", width: int = 1280, **query: str) -> Page:
        """The panel, signed in by a link as a person would be."""
        context = self.browser.new_context(viewport={"width": width, "height": 900}, locale="en-GB")
        context.add_init_script(f"localStorage.getItem('language') ?? localStorage.setItem('language', '{language}')")
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{panel}: {error}"))
        page.on("console", lambda said: self.complaints.append(f"{panel}: {said.text}") if _is_bad(said) else None)
        page.goto(f"{self.served.url}/#code={LocalIssuer(self.served.runtime).sign_in_code(person, self.tenant)}")
        expect(page.locator("header .person")).to_have_text(person)
        self.go(page, panel, **query)
        return page

    def go(self, page: Page, panel: str, **query: str) -> None:
        """Go to a panel by its address."""
        given = "&".join(f"{name}={value}" for name, value in query.items())
        page.goto(f"{self.served.url}/workspace/{self.tenant}/{panel}?{given}")
        expect(page.locator("h1")).to_be_visible()


def _is_bad(said: Any) -> bool:
    # What a test does on purpose (a refusal, a connection that is cut) is told in the console by the browser itself.
    return said.type == "error" and "Failed to load resource" not in said.text and "WebSocket" not in said.text


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a screen."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def nothing_goes_wrong_unseen(people: People) -> Iterator[None]:
    """Close what a test opened, and fail where a page complained. A module of browser tests imports it."""
    people.complaints.clear()
    yield
    for context in people.browser.contexts:
        context.close()
    assert people.complaints == []

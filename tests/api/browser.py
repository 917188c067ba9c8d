"""A real browser, where there is one: Chromium of this machine, driven by Playwright."""

from __future__ import annotations

import re
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
WITHOUT = (
    # Two pages of the address bar's for each window, which nobody sees, and a process for a page that may come: more
    # than half of the processor time of a new window.
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess",
    # What Playwright goes without; Chromium heeds the last list only.
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
)  # fmt: skip
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    f"--disable-features={','.join(WITHOUT)}",
]
expect.set_options(timeout=60_000)


@dataclass
class People:
    """Opens the workspace for people, each in a browser of their own, and keeps what went wrong in any.

    Who comes again in a later test sits down at the same browser: a page costs more to open than to go on with.
    Nothing that the workspace kept in it is there any more.
    """

    browser: Browser
    served: Served
    tenant: TenantId
    complaints: list[str] = field(default_factory=list)
    _own: dict[tuple[str, int], Page] = field(default_factory=dict)
    _in_use: list[Page] = field(default_factory=list)

    def open(self, person: str, panel: str, *, language: str = "en", width: int = 1280, **query: str) -> Page:
        """The panel, signed in by a link as a person would be."""
        page = self._page_of(person, width)
        page.evaluate("spoken => { localStorage.clear(); localStorage.setItem('language', spoken); }", language)
        code = LocalIssuer(self.served.runtime).sign_in_code(person, self.tenant)
        page.goto(f"{self.served.url}{self._address(panel, query)}#code={code}")
        expect(page.locator("header .person")).to_have_text(person)
        return page

    def leave(self) -> None:
        """Close all that is open in this browser, but the pages that people come back to: those lie idle."""
        own = list(self._own.values())
        for context in self.browser.contexts:
            if not any(page in own for page in context.pages):
                context.close()
        for page in own:
            page.goto(self._elsewhere)
        self._in_use.clear()

    def _page_of(self, person: str, width: int) -> Page:
        page = self._own.get((person, width))
        if page is None or page in self._in_use:
            page = self._new_page(width)
            self._own.setdefault((person, width), page)
        self._in_use.append(page)
        return page

    def _new_page(self, width: int) -> Page:
        context = self.browser.new_context(viewport={"width": width, "height": 900}, locale="en-GB")
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self.complaints.append(f"{page.url}: {said.text}") if _is_bad(said) else None)
        page.goto(self._elsewhere)
        return page

    @property
    def _elsewhere(self) -> str:
        """A picture of the workspace's, at which nothing runs."""
        return f"{self.served.url}/static/icon.svg"

    def go(self, page: Page, panel: str, **query: str) -> None:
        """Go to a panel within the page that is open, as with the browser's own back and forward."""
        step = "to => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }"
        page.evaluate(step, self._address(panel, query))
        here = page.locator("nav a[aria-current=page]")
        expect(here).to_have_attribute("href", re.compile(rf"/{panel}(\?|$)"))

    def _address(self, panel: str, query: dict[str, str]) -> str:
        given = "&".join(f"{name}={value}" for name, value in query.items())
        return f"/workspace/{self.tenant}/{panel}?{given}"


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
    people.leave()
    assert people.complaints == []

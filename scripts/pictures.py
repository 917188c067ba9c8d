"""Draw the pictures of the workspace that the documentation shows: every panel, wide and on a phone.

Run by `make pictures`: the demo's tenant in a home of its own, served as `make dev` serves it, seen in Chromium.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

TENANT = "phuket-mice"
PICTURES = Path(__file__).parent.parent / "docs" / "pictures" / "workspace"
COLOURS = 64
WIDTHS = {"wide": 1280, "phone": 390}
VIEWS = {
    "overview": ("rin", "panel-overview"),
    "wizard": ("anan", "panel-wizard"),
    "upload": ("anan", "panel-upload"),
    "normalise": ("rin", "panel-normalise"),
    "conflict": ("rin", "panel-conflict?status=signed"),
    "review-queue": ("rin", "panel-review-queue?state=all"),
    "coverage": ("rin", "panel-coverage"),
    "handoff": ("anan", "panel-handoff"),
}


def main() -> None:
    """Draw them all; leave nothing running."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        home = Path(folder) / "home"
        port = _free_port()
        environment = os.environ | {"TENANT_RUNTIME_HOME": str(home), "TENANT_RUNTIME_WORKSPACE_PORT": str(port)}
        program = [sys.executable, "-m", "tenant_pipeline"]
        subprocess.run([*program, "demo"], env=environment, check=True, stdout=subprocess.DEVNULL)
        serving = subprocess.Popen([*program, "up", "--port", str(_free_port())], env=environment)
        try:
            _wait(f"http://127.0.0.1:{port}/api/labels")
            links = {
                person: subprocess.run(
                    [*program, "sign-in", person, "--tenant", TENANT],
                    env=environment, check=True, capture_output=True, text=True,
                ).stdout.strip()
                for person in sorted({person for person, _ in VIEWS.values()})
            }  # fmt: skip
            with sync_playwright() as playwright:
                chromium = shutil.which("chromium") or shutil.which("google-chrome")
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                _draw(browser, links, f"http://127.0.0.1:{port}/workspace/{TENANT}")
        finally:
            serving.terminate()
            serving.wait(60)


def _draw(browser: Browser, links: dict[str, str], workspace: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for person, link in links.items():
        page = browser.new_context(locale="en-GB").new_page()
        page.goto(link)
        page.locator("header .person").wait_for()
        for name, (whose, address) in VIEWS.items():
            if whose != person:
                continue
            for size, width in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": 860})
                page.goto(f"{workspace}/{address}")
                page.locator("h1").wait_for()
                page.wait_for_timeout(2500)
                if name == "conflict":
                    page.locator(".items button").first.click()
                    page.wait_for_timeout(1500)
                drawn = Image.open(BytesIO(page.screenshot(full_page=size == "wide")))
                drawn.convert("RGB").quantize(COLOURS).save(PICTURES / f"{name}-{size}.png", optimize=True)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(url)


if __name__ == "__main__":
    main()

"""A server process that is killed in the middle of edits: what anybody has seen is there afterwards."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pycrdt import Doc, Map
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosed

from tenant_pipeline.cli.main import app
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import register_tenant
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.shared_state import load_document
from tests.api.browser import People, browser, needs_browser
from tests.api.conftest import OWN, Served
from tests.api.windows import Window
from tests.integration.conflict_statements import Sources
from tests.ports import free_port

pytestmark = pytest.mark.slow

FIELD = "wizard.answers"
RIVER = TenantId("river-halls")


@contextmanager
def _process(runtime: Runtime, port: int | None = None) -> Iterator[tuple[Served, subprocess.Popen[bytes]]]:
    port = port or free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tenant_pipeline", "workspace", "--port", str(port)],
        env={**os.environ, "TENANT_RUNTIME_HOME": str(runtime.settings.home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 180
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield Served(runtime, f"http://127.0.0.1:{port}"), process
    finally:
        process.kill()
        process.wait()


def _sign_in_link(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TENANT_RUNTIME_HOME", str(runtime.settings.home))
    monkeypatch.setenv("TENANT_RUNTIME_WORKSPACE_PORT", "8123")
    done = CliRunner().invoke(app, ["sign-in", "anan", "--tenant", OWN], catch_exceptions=False)
    return done.output.partition("/#")[0]


def test_a_link_to_come_in_leads_to_where_the_workspace_is_served_which_ends_also_without_a_database_and_leaves_no_file(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runtime.server is not None
    assert _sign_in_link(runtime, monkeypatch) == "http://127.0.0.1:8123"
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with _process(runtime) as (served, process):
        assert _sign_in_link(runtime, monkeypatch) == served.url
        window, other = Window(served, "anan").come(), Window(served, "rin").come()
        window.says(panel="panel-wizard")
        other.hears(window, panel="panel-wizard")
        database = runtime.server._process
        assert database is not None
        database.send_signal(signal.SIGINT)
        database.wait(60)
        try:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            assert runtime.server.revive()
    assert not list(tmp_path.iterdir())
    assert not list(runtime.settings.home.glob(".serving-*"))
    assert _sign_in_link(runtime, monkeypatch) == "http://127.0.0.1:8123"


def test_nothing_that_a_peer_has_seen_is_lost_when_the_server_is_killed(runtime: Runtime) -> None:
    seen: set[str] = set()
    for turn in range(2):
        with _process(runtime) as (served, process):
            one, other = Window(served, "anan").come(), Window(served, "rin").come()
            with suppress(ConnectionClosed, OSError):
                for count in range(400):
                    one.write(FIELD, f"kill-{turn}-{count}", count)
                    if count % 5 == 0:
                        other.read(0.01)
                    if count == 150:
                        process.send_signal(signal.SIGKILL)
            with suppress(ConnectionClosed, OSError):
                for _ in range(200):
                    other.read(0.01)
            here = {key for key in other.field(FIELD) if key.startswith(f"kill-{turn}-")}
            assert len(here) > 10
            seen |= here
            for window in (one, other):
                with suppress(ConnectionClosed, OSError):
                    window.go()
    kept: Doc[object] = Doc()  # type: ignore[type-var]
    for update in load_document(runtime, OWN).updates:
        kept.apply_update(update)
    assert seen <= set(kept.get(FIELD, type=Map).keys())


def test_who_had_it_open_goes_on_with_the_next_process(runtime: Runtime) -> None:
    with _process(runtime) as (served, _):
        window = Window(served, "anan").come()
        window.write(FIELD, "turn", 1)
        Window(served, "rin").come().see(FIELD, "turn", 1)
    window.field(FIELD)["offline"] = 1
    with _process(runtime) as (served, _):
        window.move(served)
        window.come().write(FIELD, "turn", 2)
        rin = Window(served, "rin").come()
        rin.see(FIELD, "offline", 1)
        rin.see(FIELD, "turn", 2)


@needs_browser
def test_what_three_people_type_outlives_a_killed_server(runtime: Runtime) -> None:
    name = {"th": "หอประชุมริมน้ำ", "en": "River halls", "zh": "河畔会堂"}
    register_tenant(runtime, RIVER, name=name, domain="river.example", tier="pilot", actor="test")
    for person, role in {"anan": "tenant-admin", "kanya": "contributor", "rin": "reviewer"}.items():
        grant_role(runtime, RIVER, person=person, role=role, granted_by="test")
    halls = Sources(runtime, RIVER)
    halls.say(1, ("name", "en", "River Hall"), ("postalCode", "", "83000"), title="Register of halls")
    halls.say(2, ("name", "en", "River Hall"), ("postalCode", "", "83100"), title="City list")
    (item,) = halls.items(property="postalCode")
    port = free_port()
    with browser() as opened:
        with _process(runtime, port) as (served, process):
            people = People(opened, served, RIVER)
            anan, kanya = people.open("anan", "panel-wizard"), people.open("kanya", "panel-wizard")
            rin, other = (people.open("rin", "panel-conflict", item=item["conflict_id"]) for _ in range(2))
            uploading = people.open("anan", "panel-upload")
            notes = uploading.get_by_label("Notes for all")
            notes.fill("Before.")
            anan.get_by_label("Name in English").fill("River halls")
            expect(kanya.get_by_label("Name in English")).to_have_value("River halls", timeout=60_000)
            rin.get_by_label("Reason").first.fill("The register")
            expect(other.get_by_label("Reason").first).to_have_value("The register", timeout=60_000)
            process.kill()
        for page in (anan, kanya, rin, other, uploading):
            expect(page.get_by_text("Not connected.")).to_be_visible(timeout=60_000)
        anan.get_by_label("Name in English").press("End")
        anan.get_by_label("Name in English").press_sequentially(" of Phuket")
        kanya.get_by_label("Name in English").press("Home")
        kanya.get_by_label("Name in English").press_sequentially("The ")
        kanya.get_by_label("Domain").fill("river.example")
        rin.get_by_label("Reason").first.fill("The register is newer.")
        notes.press("End")
        notes.press_sequentially(" And after.")
        kanya.context.set_offline(True)  # whose network fails as well, and comes back later
        with _process(runtime, port):
            expect(rin.get_by_text("Not connected.")).to_have_count(0, timeout=90_000)
            expect(other.get_by_label("Reason").first).to_have_value("The register is newer.", timeout=60_000)
            kanya.context.set_offline(False)
            for page in (anan, kanya):
                expect(page.get_by_label("Name in English")).to_have_value("The River halls of Phuket", timeout=60_000)
                expect(page.get_by_label("Domain")).to_have_value("river.example", timeout=60_000)
            people.go(kanya, "panel-upload")
            expect(kanya.get_by_label("Notes for all")).to_have_value("Before. And after.", timeout=60_000)
            assert people.complaints == []

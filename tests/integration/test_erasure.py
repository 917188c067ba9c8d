"""What a tenant has is erased by two people, wherever it is killed, and the proof finds what was left."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.errors import HeldError, InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.compliance.audit import evidence_pack
from tenant_pipeline.services.compliance.declared_controls import screened_sources
from tenant_pipeline.services.erasure import whole_tenant
from tenant_pipeline.services.erasure.requests import list_requests, request_erasure, requests_of
from tenant_pipeline.services.erasure.whole_tenant import ERASED_SINCE, STEPS, TOMBSTONE, erase_again, erase_tenant
from tenant_pipeline.services.feeds.feeds import NewFeed, add_feed, change_feed
from tenant_pipeline.services.retention.holds import place_hold
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.uploads import begin_upload
from tenant_pipeline.storage import serving
from tenant_pipeline.storage.database import login_of
from tenant_pipeline.storage.keys import KeysDestroyedError
from tests.integration.conflict_statements import Sources
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.integration.releasable import publish_draft, releasable, served

ASKING: dict[str, Any] = {"person": "anan", "role": "tenant-admin", "reason": "The tenant leaves"}
ERASING: dict[str, Any] = {"person": "gov", "role": "platform-governance"}


@pytest.fixture
def made(tenants: TwoTenants) -> Sources:
    """A tenant with a published release and a statement with a raw address in it."""
    found = releasable(tenants.runtime)
    publish_draft(found.runtime, found.tenant)
    found.say(3, ("description", "en", "Write to somchai@hall.example"), compare=False)
    found.runtime.keys.digest_key(found.tenant)
    return found


def assert_erased(made: Sources) -> None:
    runtime, tenant = made.runtime, made.tenant
    assert {(row["value"], row["raw_value"]) for row in made.rows("SELECT * FROM runtime.statements")} == {
        (TOMBSTONE, TOMBSTONE)
    }
    assert {row["title"] for row in made.rows("SELECT title FROM runtime.tenant_sources")} == {TOMBSTONE}
    with pytest.raises(KeysDestroyedError):
        runtime.raw_zone(tenant)
    assert not (runtime.settings.objects_directory / tenant).exists()
    with runtime.database.administration() as connection:
        assert not serving.is_there(connection, login_of(tenant))
        assert runtime.audit.verify(connection, tenant).intact
    with runtime.database.tenant(tenant) as connection:
        assert {each.held_since for each in screened_sources(connection, runtime, tenant)} == {None}


def test_all_of_a_tenant_is_erased_and_nothing_of_another(made: Sources) -> None:
    other = releasable(made.runtime)
    publish_draft(made.runtime, other.tenant)
    before = served(made.runtime, other.tenant), other.rows("SELECT * FROM runtime.statements ORDER BY statement_id")
    request = request_erasure(made.runtime, made.tenant, **ASKING)
    done = erase_tenant(made.runtime, made.tenant, request, **ERASING)
    assert done.state() == "erased", done.steps["proof"]
    assert set(done.steps) == set(STEPS)
    assert done.steps["rows"]["rows"]["statements"] == 6
    assert_erased(made)
    after = served(made.runtime, other.tenant), other.rows("SELECT * FROM runtime.statements ORDER BY statement_id")
    assert before == after
    assert len(before[0]) == 2
    assert erase_tenant(made.runtime, made.tenant, request, **ERASING) == done


def test_an_erased_draft_takes_in_no_name_of_a_file_no_title_and_no_address(made: Sources) -> None:
    runtime, tenant = made.runtime, made.tenant
    wanted = NewFeed("Somchai", "https://p.example/feed.csv", Origin.PARTNER_DOC, Schedule("0 6 * * *", "Asia/Bangkok"))
    feed = add_feed(runtime, tenant, wanted, actor="anan")
    runtime.keys.destroy(tenant)
    before = made.rows("SELECT * FROM runtime.feeds"), made.rows("SELECT * FROM runtime.uploads")
    for taking_in in (
        lambda: begin_upload(runtime, tenant, path="somchai.csv", length=9, person="anan"),
        lambda: add_feed(runtime, tenant, replace(wanted, url="https://p.example/somchai.csv"), actor="anan"),
        lambda: change_feed(runtime, tenant, feed.id, {"title": "Somchai Jaidee"}, actor="anan"),
    ):
        with pytest.raises(KeysDestroyedError):
            taking_in()
    assert (made.rows("SELECT * FROM runtime.feeds"), made.rows("SELECT * FROM runtime.uploads")) == before


@pytest.mark.parametrize("fatal", list(STEPS))
def test_killed_after_any_step_and_before_it_is_noted_it_is_run_again(
    made: Sources, fatal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(runtime: Runtime, tenant: TenantId, person: str) -> Mapping[str, Any]:
        STEPS[fatal](runtime, tenant, person)
        raise KeyboardInterrupt

    request = request_erasure(made.runtime, made.tenant, **ASKING)
    monkeypatch.setattr(whole_tenant, "STEPS", {**STEPS, fatal: dies})
    with pytest.raises(KeyboardInterrupt):
        erase_tenant(made.runtime, made.tenant, request, **ERASING)
    (begun,) = list_requests(made.runtime, made.tenant)
    assert set(begun.steps) == set(list(STEPS)[: list(STEPS).index(fatal)])
    monkeypatch.undo()
    assert erase_tenant(made.runtime, made.tenant, request, **ERASING).state() == "erased"
    assert_erased(made)


def test_a_hold_that_is_placed_during_a_step_waits_for_it_and_stops_the_next(
    made: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(1) as pool:
        placing: list[Future[uuid.UUID]] = []

        def held(runtime: Runtime, tenant: TenantId, person: str) -> Mapping[str, Any]:
            placing.append(pool.submit(place_hold, runtime, tenant, **{**ERASING, "reason": "Case 17"}))
            with pytest.raises(TimeoutError):
                placing[0].result(timeout=0.5)
            return STEPS["files"](runtime, tenant, person)

        request = request_erasure(made.runtime, made.tenant, **ASKING)
        monkeypatch.setattr(whole_tenant, "STEPS", {"files": held, "served": STEPS["served"]})
        with pytest.raises(HeldError):
            erase_tenant(made.runtime, made.tenant, request, **ERASING)
        (begun,) = list_requests(made.runtime, made.tenant)
        assert set(begun.steps) == {"files"}


def test_what_a_restore_erases_again_is_on_record_once_though_it_was_killed(
    made: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(runtime: Runtime, tenant: TenantId, person: str) -> Mapping[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(whole_tenant, "STEPS", {**STEPS, "served": dies})
    with pytest.raises(KeyboardInterrupt):
        erase_again(made.runtime, made.tenant)
    monkeypatch.undo()
    for _ in range(2):
        erase_again(made.runtime, made.tenant)
        (asked,) = list_requests(made.runtime, made.tenant)
        assert (asked.state(), asked.requested_by, asked.reason) == ("erased", "restore", ERASED_SINCE)
        assert set(asked.steps) == set(STEPS)
        assert_erased(made)


def test_a_restore_goes_on_with_the_request_that_the_backup_brought(made: Sources) -> None:
    request = request_erasure(made.runtime, made.tenant, **ASKING)
    erase_again(made.runtime, made.tenant)
    assert [(each.id, each.state()) for each in list_requests(made.runtime, made.tenant)] == [(request, "erased")]


def test_what_is_left_in_a_log_is_found_and_said_though_folders_vanish_meanwhile(
    made: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = made.runtime.settings.home
    log = home / "left.log"
    log.write_text("could not read somchai@hall.example\n", encoding="utf-8")
    draft, page = home / "objects" / ATTACKER / "raw" / ".draft-of-a-stage", home / "explanations" / ATTACKER
    for folder in (draft, page):
        folder.mkdir(parents=True)

    def read_when_it_is_gone(path: Any = ".", read: Any = os.scandir) -> Any:
        if str(path) in (str(draft), str(page)):
            Path(path).rmdir()
        return read(path)

    monkeypatch.setattr(os, "scandir", read_when_it_is_gone)
    try:
        request = request_erasure(made.runtime, made.tenant, **ASKING)
        done = erase_tenant(made.runtime, made.tenant, request, **ERASING)
    finally:
        log.unlink()
        monkeypatch.undo()
    assert not page.exists()
    assert draft.exists(), "objects are no logs"
    draft.rmdir()
    assert done.state() == "remains"
    assert done.steps["proof"]["found"] == [
        {"place": "files: left.log/*.log", "entity_type": "EMAIL_ADDRESS", "count": 1}
    ]


def test_nobody_erases_alone_nor_without_the_role_nor_while_the_tenant_is_live(made: Sources) -> None:
    runtime, tenant = made.runtime, made.tenant
    with pytest.raises(NotAllowedError):
        request_erasure(runtime, tenant, person="kanya", role="contributor", reason="So")
    own = request_erasure(runtime, tenant, person="gov", role="platform-governance", reason="So")
    with pytest.raises(NotAllowedError, match="asked"):
        erase_tenant(runtime, tenant, own, **ERASING)
    request = request_erasure(runtime, tenant, **ASKING)
    with pytest.raises(NotAllowedError):
        erase_tenant(runtime, tenant, request, person="rin", role="reviewer")
    with runtime.database.platform() as connection:
        connection.execute("UPDATE runtime.tenants SET status = 'live' WHERE id = %s", (tenant,))
    with pytest.raises(InputError, match="live"):
        erase_tenant(runtime, tenant, request, **ERASING)
    assert {each.state() for each in list_requests(runtime, tenant)} == {"waiting"}
    assert runtime.keys.digest_keys(tenant)


def test_another_tenant_neither_sees_a_request_nor_has_it_done(made: Sources) -> None:
    request = request_erasure(made.runtime, made.tenant, **ASKING)
    with made.runtime.database.tenant(ATTACKER) as connection:
        assert requests_of(connection, made.tenant) == []
    with pytest.raises(NotFoundError):
        erase_tenant(made.runtime, ATTACKER, request, person="gail", role="platform-governance")
    assert made.runtime.keys.digest_keys(made.tenant)


def test_a_request_has_thirty_days_and_the_evidence_tells_when_they_are_over(made: Sources) -> None:
    request_erasure(made.runtime, made.tenant, **ASKING)
    (asked,) = list_requests(made.runtime, made.tenant)
    assert asked.clock.due == asked.requested_at + timedelta(days=30)
    assert not asked.clock.overdue(asked.requested_at + timedelta(days=30))
    assert asked.as_json(asked.requested_at + timedelta(days=31))["days_left"] == -1.0
    controls = {each.id: each for each in evidence_pack(made.runtime, made.tenant, asked_by="anan").controls}
    assert controls["erasure"].evidence == {"requests": 1, "open": 1, "late": [], "remains": []}

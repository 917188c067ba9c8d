"""Feeds against a real server that misbehaves: what is not new costs one request, what is wrong does not flow on."""

from __future__ import annotations

import errno
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

from tenant_pipeline.cli.main import app
from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError, StoreUnavailableError
from tenant_pipeline.core.feed.profile import Expectations, FeedProfile
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.lifecycle import StateForbidsError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.link.credential import Credential
from tenant_pipeline.intake.link.errors import TooSlowError
from tenant_pipeline.services import digest_keys
from tenant_pipeline.services.feature_flags.overrides import SwitchedOffError, clear_flag, set_flag
from tenant_pipeline.services.feeds import polling
from tenant_pipeline.services.feeds.alerts import note_stale_feeds
from tenant_pipeline.services.feeds.credentials import credential_of, keep_credential
from tenant_pipeline.services.feeds.feeds import Feed, change_feed, list_feeds, set_status
from tenant_pipeline.services.feeds.polling import (
    DEAD_AFTER,
    Answer,
    Polled,
    ask_now,
    due_feeds,
    fetch_wholly,
    hold_claim,
    mark_of,
    poll_feed,
    release_claim,
)
from tenant_pipeline.services.feeds.versions import decide
from tenant_pipeline.services.observation.figures import read_figures
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import get_source
from tenant_pipeline.storage.database import login_of
from tests.integration.conftest import TwoTenants
from tests.integration.feed_steps import (
    RuntimeOnAClock,
    csv_answer,
    feed_now,
    halls_answer,
    names_of,
    new_feed,
    poll_now,
    registered_tenant,
    runtime,
    server,
    stored_versions,
    tenant,
    walk_through,
)
from tests.unit.intake.link_server import Answer as Served
from tests.unit.intake.link_server import Server, serve
from tests.unit.pii.staff import STAFF

__all__ = ["runtime", "server", "tenant"]  # fixtures


def test_what_has_not_changed_costs_one_request_and_nothing_else(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/halls.csv", halls_answer(3, etag="v1"), Served(status=304)))
    assert poll_now(runtime, feed).answer is Answer.VERSION
    walk_through(runtime, feed)
    with runtime.database.tenant(tenant) as connection:
        before = get_source(connection, tenant, feed.source_id)
    for _ in range(3):
        assert poll_now(runtime, feed).answer is Answer.UNCHANGED
    assert [path for path, _ in server.asked] == ["/halls.csv"] * 4
    assert [headers.get("If-None-Match") for headers in server.headers("/halls.csv")] == [None, *['"v1"'] * 3]
    with runtime.database.tenant(tenant) as connection:
        assert get_source(connection, tenant, feed.source_id) == before
    assert len(stored_versions(runtime, feed)) == 1


def test_the_command_says_of_a_feed_without_rights_that_its_tenant_cannot_go_live(
    runtime: RuntimeOnAClock, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANT_RUNTIME_HOME", str(runtime.settings.home))
    command = ["feed", "add", "--tenant", tenant, "--origin", "regulator", "--title", "Register", "--json"]
    without = CliRunner().invoke(app, [*command, "https://data.example/a.csv"])
    assert without.stderr.startswith("No rights are declared: the tenant cannot go live until they are")
    assert f"feed change {json.loads(without.stdout)['id']} --tenant" in " ".join(without.stderr.split())
    declared = CliRunner().invoke(app, [*command, "https://data.example/b.csv", "--rights", "CC BY 4.0"])
    assert (json.loads(declared.stdout)["rights"], declared.stderr) == ("CC BY 4.0", "")


def test_asking_costs_the_same_however_many_versions_a_feed_has_brought(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(10)))
    poll_now(runtime, feed)
    walk_through(runtime, feed)
    with runtime.database.tenant(tenant) as connection:
        connection.execute(
            """
            INSERT INTO runtime.feed_versions (tenant_id, feed_id, number, unit_digest, profile, reasons, fetched_at)
            SELECT tenant_id, feed_id, later, repeat('0', 64), profile,
                   CASE WHEN later > 100 THEN '["shrunk: it was"]' ELSE '[]' END::jsonb, fetched_at
              FROM runtime.feed_versions, generate_series(2, 200) AS later WHERE feed_id = %s
            """,
            (feed.id,),
        )
    read: list[dict[str, Any]] = []
    from_json = FeedProfile.from_json

    def reading(kept: dict[str, Any]) -> FeedProfile:
        read.append(kept)
        return from_json(kept)

    with monkeypatch.context() as patch:
        patch.setattr(FeedProfile, "from_json", reading)
        assert poll_now(runtime, feed).number == 201, "it is as the last one that was taken in"
    assert len(read) <= 4
    assert [each.number for each in stored_versions(runtime, feed)] == list(range(201, 151, -1))


def test_without_validators_the_same_content_is_no_new_version(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/halls.csv", halls_answer(3)))
    assert [poll_now(runtime, feed).answer for _ in range(2)] == [Answer.VERSION, Answer.UNCHANGED]


def test_what_changed_flows_on_and_what_vanished_is_retired_and_not_deleted(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    old, sea_hall, new_hall = "PKT-1,Old hall,83000", "PKT-2,Sea hall,83100", "PKT-3,New hall,83110"
    first = csv_answer(old, sea_hall)
    feed = new_feed(runtime, tenant, server.answer("/h", first, csv_answer(sea_hall, new_hall), first))
    seen = []
    for _ in range(3):
        assert poll_now(runtime, feed).answer is Answer.VERSION
        walk_through(runtime, feed)
        runtime.clock.forward(days=1)
        seen.append(names_of(runtime, feed))
    assert seen == [{"Old hall", "Sea hall"}, {"Sea hall", "New hall"}, {"Old hall", "Sea hall"}]
    with runtime.database.tenant(tenant) as connection:
        kept = connection.execute(
            """
            SELECT value, last_seen, retired_at, absent FROM runtime.statements
             WHERE source_id = %s AND property = 'name'
            """,
            (feed.source_id,),
        ).fetchall()
        assert get_source(connection, tenant, feed.source_id).version == 3
    assert {row["value"] for row in kept} == {"Old hall", "Sea hall", "New hall"}
    old_row, sea, new = (next(row for row in kept if row["value"] == f"{name} hall") for name in ("Old", "Sea", "New"))
    assert new["last_seen"] < new["retired_at"]
    assert (old_row["retired_at"], sea["retired_at"], len(old_row["absent"]), len(sea["absent"])) == (None, None, 1, 0)


def _row_versions(runtime: Runtime, tenant: TenantId) -> set[tuple[str, ...]]:
    """Each row of the knowledge base as it lies there: what is written or locked is another."""
    tables = (
        "statements", "entities", "entity_members", "entity_keys", "entity_blocking_keys", "entity_features",
        "judgements",
    )  # fmt: skip
    with runtime.database.tenant(tenant) as connection:
        return {
            (table, row["ctid"], row["xmin"], row["xmax"])
            for table in tables
            for row in connection.execute(f"SELECT ctid::text, xmin::text, xmax::text FROM runtime.{table}").fetchall()  # type: ignore[call-overload]
        }


def test_one_changed_record_writes_its_own_rows_and_no_other(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    halls = [f"PKT-{number},Hall {number} of the town,{83000 + number}" for number in range(300)]
    renamed = ["PKT-0,Renamed hall,83000", *halls[1:]]
    feed = new_feed(runtime, tenant, server.answer("/h", csv_answer(*halls), csv_answer(*renamed), csv_answer(*halls)))
    written = []
    for _ in range(3):
        assert poll_now(runtime, feed).answer is Answer.VERSION
        before = _row_versions(runtime, tenant)
        walk_through(runtime, feed)
        written.append(sorted(table for table, *_ in _row_versions(runtime, tenant) - before))
        runtime.clock.forward(days=1)
    assert written[0].count("statements") == 900
    # Its home, locked; its features; that they changed; its new name; and its old name, retired.
    own, keys = ["entities", "entity_features", "entity_members"], ("entity_keys", "entity_blocking_keys")
    assert [name for name in written[1] if name not in keys] == [*own, "statements", "statements"]
    # The features know both names by now.
    assert [name for name in written[2] if name not in keys] == [
        *(name for name in own if name in written[2]), "statements", "statements",
    ]  # fmt: skip
    assert len(written[1]) < 20
    assert len(written[2]) < 20
    assert "Hall 0 of the town" in names_of(runtime, feed)
    assert "Renamed hall" not in names_of(runtime, feed)


def test_a_feed_is_not_asked_while_its_version_is_on_its_way(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(2), halls_answer(3)))
    poll_now(runtime, feed)
    ask_now(runtime, tenant, feed.id)
    assert (tenant, feed.id) not in due_feeds(runtime, 1000)
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.IN_USE
    assert len(stored_versions(runtime, feed)) == 1
    walk_through(runtime, feed)
    runtime.clock.forward(minutes=2)
    assert (tenant, feed.id) in due_feeds(runtime, 1000)
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.VERSION


@pytest.mark.parametrize(
    ("then", "code"),
    [
        (halls_answer(4), "shrunk"),
        (Served(b"licence_no,venue_name_en,zip\n" + b"PKT-1,Hall,83000\n" * 10), "schema-changed"),
        (Served(b"<html><body><h1>Down for maintenance</h1></body></html>"), "shrunk"),
        (Served(b""), "shrunk"),
    ],
)
def test_what_shrinks_or_changes_its_fields_waits_for_a_person(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, then: Served, code: str
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(10), then))
    poll_now(runtime, feed)
    walk_through(runtime, feed)
    before = names_of(runtime, feed)
    polled = poll_now(runtime, feed)
    assert polled.answer is Answer.HELD
    assert code in polled.detail
    assert poll_now(runtime, feed).answer is Answer.UNCHANGED
    with runtime.database.tenant(tenant) as connection:
        assert get_source(connection, tenant, feed.source_id).version == 1
    assert names_of(runtime, feed) == before


def test_fields_that_are_called_after_persons_are_told_without_them_and_compared_under_any_key(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    def roster(names: list[str], days: int = 1) -> Served:
        rows = ["day," + ",".join(names), *(["Mon" + ",8" * len(names)] * days)]
        return Served("".join(f"{row}\n" for row in rows).encode())

    others = [*STAFF[:-1], "สมศรี ใจงาม"]
    feed = new_feed(runtime, tenant, server.answer("/r.csv", roster(STAFF), roster(others), roster(STAFF, days=2)))
    first, second = (poll_now(runtime, feed) for _ in range(2))
    assert (first.answer, second.answer) == (Answer.VERSION, Answer.HELD)
    assert second.detail.startswith("schema-changed: without ⟦PERSON:")
    with runtime.database.tenant(tenant) as connection:
        kept = connection.execute("SELECT * FROM runtime.feed_versions WHERE tenant_id = %s", (tenant,)).fetchall()
    told = f"{kept} {second} {stored_versions(runtime, feed)}"
    assert not [name for name in {*STAFF, *others} if name in told]
    grant_role(runtime, tenant, person="wei", role="platform-governance", granted_by="test")
    digest_keys.rotate(runtime, tenant, person="wei", role="platform-governance", reason="A year has passed")
    with runtime.database.tenant(tenant) as connection:
        connection.execute(
            "UPDATE runtime.tenant_sources SET ingest_status = 'assembled' WHERE tenant_id = %s", (tenant,)
        )
    assert poll_now(runtime, feed).answer is Answer.VERSION, "it has the fields of the version that was taken in"


def test_a_person_lets_a_held_version_in_for_a_reason_or_refuses_it(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(10), halls_answer(2), halls_answer(3)))
    for _ in range(2):
        poll_now(runtime, feed)
        if stored_versions(runtime, feed)[0].number == 1:
            walk_through(runtime, feed)
    said = {"person": "rin", "role": "reviewer", "reason": "They closed eight"}
    with pytest.raises(NotAllowedError):
        decide(runtime, tenant, feed.id, 2, "accept", person="eve", role="reviewer", reason="I am not theirs")
    with pytest.raises(InputError):
        decide(runtime, tenant, feed.id, 2, "accept", person="rin", role="reviewer", reason=" ")
    with pytest.raises(InputError):
        decide(runtime, tenant, feed.id, 1, "refuse", **said)
    assert decide(runtime, tenant, feed.id, 2, "refuse", **said).taken_in is False
    with pytest.raises(InputError):
        decide(runtime, tenant, feed.id, 2, "accept", **said)
    assert poll_now(runtime, feed).answer is Answer.HELD
    assert decide(runtime, tenant, feed.id, 3, "accept", **said).taken_in is True
    runtime.clock.forward(hours=1)
    walk_through(runtime, feed)
    assert len(names_of(runtime, feed)) == 3


@pytest.mark.parametrize(
    "answers",
    [
        [Served(status=503, headers={"Retry-After": "7200"})],
        [Served(status=429)],
        [Served(status=404)],
        [Served(status=304)],
        [Served(status=302, headers={"Location": "/h"})] * 6,
        [Served(b"x" * 100, declared=200)],
        [Served(b"x" * 100, sent=40)],
        [Served(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"})],
    ],
)
def test_a_server_that_misbehaves_is_asked_again_later_and_nothing_is_taken_in(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, answers: list[Served]
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", *answers, halls_answer(3)))
    polled = poll_now(runtime, feed)
    assert polled.answer is Answer.FAILED
    after = polled.feed
    assert (after.failures, bool(after.error), after.checked_at) == (1, True, None)
    wanted = 7200 if answers[0].headers.get("Retry-After") else 60
    assert after.due_at - runtime.now() >= timedelta(seconds=wanted)
    assert stored_versions(runtime, feed) == []
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.NOT_DUE
    runtime.clock.now = after.due_at
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.VERSION
    assert (feed_now(runtime, feed).failures, feed_now(runtime, feed).error) == (0, "")


def test_a_feed_that_does_not_answer_is_called_dead_once_and_recovers(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    url = server.answer("/h", *[Served(status=500)] * (DEAD_AFTER + 2), halls_answer(3))
    feed = new_feed(runtime, tenant, url)
    pauses = []
    for _ in range(DEAD_AFTER + 2):
        failed = poll_now(runtime, feed)
        pauses.append(failed.feed.due_at - runtime.now())
    assert pauses == sorted(pauses)
    assert failed.feed.alerted == "dead"
    assert poll_now(runtime, feed).feed.alerted == ""
    assert _audited(runtime, tenant, feed) == ["feed.add", "feed.dead", "feed.version", "feed.recovered"]


@pytest.mark.parametrize("away", [StoreUnavailableError("The object store is away"), OSError(errno.ENOSPC, "full")])
def test_what_is_away_around_us_is_held_against_no_feed_and_told_and_asked_again_soon_and_not_so_soon_where_it_lasts(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, monkeypatch: pytest.MonkeyPatch, away: Exception
) -> None:
    def fail(*_: object) -> None:
        raise away

    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(3)))
    with monkeypatch.context() as patch:
        patch.setattr(type(runtime.objects), "publish", fail)
        for _ in range(DEAD_AFTER + 1):
            before = feed_now(runtime, feed)
            assert poll_feed(runtime, tenant, feed.id).answer is Answer.FAILED
            stands = feed_now(runtime, feed)
            pause = timedelta(minutes=15 if before.error else 1)
            assert stands.due_at == runtime.now() + pause
            assert (stands.failures, stands.alerted, stands.asked_at) == (0, "", runtime.now())
            assert stands.error
            runtime.clock.forward(seconds=pause.total_seconds())
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.VERSION
    assert feed_now(runtime, feed).error == ""


def test_a_feed_that_brings_nothing_new_for_too_long_is_stale(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(3)), fresh_within_hours=48)
    assert poll_now(runtime, feed).feed.alerted == ""
    runtime.clock.forward(hours=47)
    assert poll_now(runtime, feed).feed.alerted == ""
    runtime.clock.forward(hours=2)
    assert poll_now(runtime, feed).feed.alerted == "stale"
    assert _audited(runtime, tenant, feed)[-1] == "feed.stale"


def _audited(runtime: Runtime, tenant: TenantId, feed: Feed) -> list[str]:
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            "SELECT action FROM runtime.audit_log WHERE subject = %s ORDER BY sequence", (feed.id,)
        ).fetchall()
    return [row["action"] for row in rows]


def test_what_is_too_large_for_asking_in_passing_is_fetched_by_a_run_of_its_own(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(1000)))
    monkeypatch.setattr(polling, "BRIEFLY", replace(polling.BRIEFLY, max_bytes=5_000))
    assert poll_now(runtime, feed).answer is Answer.LARGE
    assert stored_versions(runtime, feed) == []
    ask_now(runtime, tenant, feed.id)
    assert poll_feed(runtime, tenant, feed.id, wholly=True).answer is Answer.VERSION


def test_what_is_too_slow_for_asking_in_passing_is_fetched_by_a_run_of_its_own_and_fails_where_that_is_too_slow_for_it(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", replace(halls_answer(3), pause=0.1)))
    monkeypatch.setattr(polling, "BRIEFLY", replace(polling.BRIEFLY, timeout_seconds=0.3))
    asked = poll_now(runtime, feed)
    assert (asked.answer, feed_now(runtime, feed).failures) == (Answer.LARGE, 0)
    with monkeypatch.context() as patch:
        patch.setattr(polling, "WHOLLY", replace(polling.WHOLLY, timeout_seconds=0.3))
        failed = fetch_wholly(runtime, tenant, feed.id)
    assert (failed.answer, failed.detail) == (Answer.FAILED, TooSlowError().what)
    assert (failed.feed.failures, failed.feed.error, stored_versions(runtime, feed)) == (1, failed.detail, [])
    assert fetch_wholly(runtime, tenant, feed.id).answer is Answer.VERSION


def test_two_who_ask_at_once_ask_once(runtime: RuntimeOnAClock, tenant: TenantId, server: Server) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", replace(halls_answer(3), pause=0.01)))
    answers: list[Answer] = []
    asking = [
        threading.Thread(target=lambda: answers.append(poll_feed(runtime, tenant, feed.id).answer)) for _ in range(6)
    ]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert sorted(answers) == sorted([Answer.VERSION, *[Answer.NOT_DUE] * 5])
    assert len(server.asked) == 1


def test_one_who_was_ended_while_asking_is_followed_by_another(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(3)))
    with monkeypatch.context() as patch:
        patch.setattr(polling, "_answered", _killed)
        with pytest.raises(KeyboardInterrupt):
            poll_feed(runtime, tenant, feed.id)
    ended = feed_now(runtime, feed)
    assert (ended.failures, ended.error) == (1, "It was ended while it was asked")
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.NOT_DUE
    runtime.clock.forward(minutes=2)
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.VERSION


def test_a_run_that_never_began_is_held_against_no_feed(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(3)))
    release_claim(runtime, tenant, feed.id, None)
    stands = feed_now(runtime, feed)
    assert (stands.failures, stands.error, stands.due_at) == (0, "", runtime.now() + timedelta(minutes=1))


def test_one_who_was_ended_has_failed_once_whoever_notes_it(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(3)))
    for failures in range(1, DEAD_AFTER + 1):
        runtime.clock.forward(hours=1)
        begun = runtime.now()
        with monkeypatch.context() as patch:
            patch.setattr(polling, "_answered", _killed)
            with pytest.raises(KeyboardInterrupt):
                fetch_wholly(runtime, tenant, feed.id)
        runtime.clock.forward(seconds=20)
        release_claim(runtime, tenant, feed.id, begun)
        ended = feed_now(runtime, feed)
        assert (ended.failures, ended.alerted) == (failures, "dead" if failures == DEAD_AFTER else "")
    runtime.clock.forward(hours=1)
    release_claim(runtime, tenant, feed.id, runtime.now())
    assert feed_now(runtime, feed).failures == DEAD_AFTER + 1, "a run that could note nothing has failed, too"


def test_a_run_that_waited_in_line_passes_over_no_pause_that_the_server_wanted_since(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    busy = Served(status=429, headers={"Retry-After": "7200"})
    feed = new_feed(runtime, tenant, server.answer("/h", busy, halls_answer(3), halls_answer(4)))
    wanted = mark_of(feed)
    assert poll_now(runtime, feed).answer is Answer.FAILED
    assert fetch_wholly(runtime, tenant, feed.id, as_of=wanted).answer is Answer.NOT_DUE
    assert len(server.asked) == 1
    assert fetch_wholly(runtime, tenant, feed.id, as_of=mark_of(feed_now(runtime, feed))).answer is Answer.VERSION
    walk_through(runtime, feed)
    assert fetch_wholly(runtime, tenant, feed.id).answer is Answer.VERSION, "a person's wish is done at once"


def _killed(*_: object) -> Polled:
    raise KeyboardInterrupt


def test_a_secret_is_shown_to_its_site_only_and_lies_nowhere_in_the_clear(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    secret = "Bearer 9f8e7d6c5b4a39281706"
    with serve() as elsewhere:
        keep_credential(runtime, tenant, "partner", Credential(server.url, "Authorization", secret), actor="test")
        moved = Served(status=302, headers={"Location": elsewhere.answer("/there", halls_answer(3))})
        feed = new_feed(runtime, tenant, server.answer("/h", moved), credential="partner")
        assert poll_now(runtime, feed).answer is Answer.VERSION
        assert [headers.get("Authorization") for headers in server.headers("/h")] == [secret]
        assert [headers.get("Authorization") for headers in elsewhere.headers("/there")] == [None]
    kept = [path for path in runtime.settings.credentials_directory.rglob("*") if path.is_file()]
    assert kept
    assert all(secret.encode() not in path.read_bytes() for path in kept)
    with runtime.database.tenant(tenant) as connection:
        assert secret not in str(connection.execute("SELECT details FROM runtime.audit_log").fetchall())
    assert secret not in repr(Credential(server.url, "Authorization", secret))


def test_a_tenant_has_its_own_secrets_only(runtime: RuntimeOnAClock, tenant: TenantId, server: Server) -> None:
    other = registered_tenant(runtime)
    keep_credential(runtime, other, "theirs", Credential(server.url, "Authorization", "x"), actor="test")
    for name in ("theirs", "../theirs", f"../{other}/theirs"):
        with pytest.raises((NotFoundError, InputError)):
            new_feed(runtime, tenant, server.answer("/h", halls_answer(3)), credential=name)


@pytest.mark.parametrize(
    ("origin", "header", "value"),
    [
        ("http://partner.example", "Authorization", "s3cret"),
        ("https://ann:s3cret@partner.example", "Authorization", "s3cret"),
        ("ftp://partner.example", "Authorization", "s3cret"),
        ("https://partner.example:99999", "Authorization", "s3cret"),
        ("https://partner.example", "Bad header", "s3cret"),
        ("https://partner.example", "Authorization", "s3cret\r\nlines"),
        ("https://partner.example", "Authorization", ""),
    ],
)
def test_a_secret_that_could_leak_or_break_a_request_is_not_kept(
    runtime: RuntimeOnAClock, tenant: TenantId, origin: str, header: str, value: str
) -> None:
    with pytest.raises(InputError) as refused:
        keep_credential(runtime, tenant, "one", Credential(origin, header, value), actor="test")
    assert "s3cret" not in str(refused.value)
    with pytest.raises(NotFoundError):
        credential_of(runtime, tenant, "one")


def test_another_tenant_neither_sees_nor_moves_a_feed(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    other = registered_tenant(runtime)
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(10), halls_answer(2)))
    poll_now(runtime, feed)
    walk_through(runtime, feed)
    poll_now(runtime, feed)
    assert list_feeds(runtime, other) == []
    said = {"person": "rin", "role": "reviewer", "reason": "mine"}
    for attempt in (
        lambda: set_status(runtime, other, feed.id, "ended", actor="rin"),
        lambda: poll_feed(runtime, other, feed.id),
        lambda: ask_now(runtime, other, feed.id),
        lambda: change_feed(runtime, other, feed.id, {"cron": "0 8 * * *"}, actor="rin"),
        lambda: release_claim(runtime, other, feed.id, runtime.now()),
        lambda: decide(runtime, other, feed.id, 2, "accept", **said),
        lambda: fetch_wholly(runtime, other, feed.id, as_of="never"),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    ask_now(runtime, tenant, feed.id)
    due = feed_now(runtime, feed)
    hold_claim(runtime, other, feed.id)
    assert feed_now(runtime, feed) == due
    assert due.status == "active"


def test_a_paused_feed_is_not_asked_and_an_ended_one_never_again(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(3)))
    set_status(runtime, tenant, feed.id, "paused", actor="test")
    with pytest.raises(InputError, match="it is paused"):
        ask_now(runtime, tenant, feed.id)
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.NOT_DUE
    assert (tenant, feed.id) not in due_feeds(runtime, 1000)
    set_status(runtime, tenant, feed.id, "active", actor="test")
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.VERSION
    set_status(runtime, tenant, feed.id, "ended", actor="test")
    with pytest.raises(InputError):
        set_status(runtime, tenant, feed.id, "active", actor="test")
    with pytest.raises(InputError):
        new_feed(runtime, tenant, "http://10.0.0.1/internal")
    assert new_feed(runtime, tenant, feed.url).id != feed.id


def test_another_secret_for_a_feed_that_fails_is_tried_at_once(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    for name in ("old", "new"):
        keep_credential(runtime, tenant, name, Credential(server.url, "Authorization", name), actor="test")
    answers = [Served(status=401)] * (DEAD_AFTER + 1)
    feed = new_feed(runtime, tenant, server.answer("/h", *answers, halls_answer(3)), credential="old")
    for _ in range(DEAD_AFTER):
        poll_now(runtime, feed)
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.NOT_DUE
    keep_credential(runtime, tenant, "old", Credential(server.url, "Authorization", "renewed"), actor="test")
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.FAILED
    change_feed(runtime, tenant, feed.id, {"credential": "new"}, actor="test")
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.VERSION
    assert [headers["Authorization"] for headers in server.headers("/h")][-3:] == ["old", "renewed", "new"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"fresh_within_hours": 99_999_999_999},
        {"expectations": Expectations(least_rows=99_999_999_999)},
        {"schedule": Schedule("0 0 30 2 *", "Asia/Bangkok")},
    ],
)
def test_what_nothing_can_meet_is_refused(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, wanted: dict[str, Any]
) -> None:
    with pytest.raises(InputError):
        new_feed(runtime, tenant, server.answer("/h", halls_answer(3)), **wanted)
    assert list_feeds(runtime, tenant) == []


def test_alerts_count_no_feed_that_nobody_asks_or_needs(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, tenants: TwoTenants
) -> None:
    before = _counted(runtime)
    held = new_feed(runtime, tenant, server.answer("/few", halls_answer(2)), expectations=Expectations(least_rows=10))
    poll_now(runtime, held)
    dead = new_feed(runtime, tenant, server.answer("/dead", Served(status=503)), fresh_within_hours=1)
    for _ in range(DEAD_AFTER):
        poll_now(runtime, dead)
    ask_now(runtime, tenant, dead.id)
    stale = new_feed(runtime, tenant, server.answer("/stale", Served(status=503)), fresh_within_hours=1)
    assert {each.id for each in list_feeds(runtime, tenant) if each.held} == {held.id}
    assert _counted(runtime) - before == Counter(held=1, dead=1, due=2)
    with tenants.superuser() as connection:
        connection.execute("UPDATE runtime.tenants SET status = 'suspended' WHERE id = %s", (tenant,))
    assert _counted(runtime) == before
    runtime.clock.forward(hours=2)
    assert stale.id not in {each.id for each in note_stale_feeds(runtime)}
    with tenants.superuser() as connection:
        connection.execute("UPDATE runtime.tenants SET status = 'draft' WHERE id = %s", (tenant,))
    set_status(runtime, tenant, held.id, "ended", actor="test")
    assert _counted(runtime)["held"] == before["held"]


def _counted(runtime: Runtime) -> Counter[str]:
    found = [each for each in read_figures(runtime) if each.name == "tenant_runtime_feeds"]
    return Counter({each.labels["state"]: int(each.value) for each in found if each.labels["state"] in COUNTED})


COUNTED = ("held", "dead", "due")


def test_a_changed_address_is_asked_at_once_and_the_rest_by_what_is_expected_now(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/old", halls_answer(10)))
    poll_now(runtime, feed)
    walk_through(runtime, feed)
    runtime.clock.forward(minutes=5)
    changed = change_feed(
        runtime, tenant, feed.id,
        {"url": server.answer("/new", halls_answer(4)), "most_loss": 0.9, "cron": "0 7 * * *"}, actor="test",
    )  # fmt: skip
    assert (changed.most_loss, changed.cron, changed.source_id) == (0.9, "0 7 * * *", feed.source_id)
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.VERSION
    assert [path for path, _ in server.asked] == ["/old", "/new"]
    due = feed_now(runtime, feed).due_at
    assert due.astimezone(ZoneInfo("Asia/Bangkok")).hour == 7
    with runtime.database.tenant(tenant) as connection:
        row = connection.execute(
            "SELECT url FROM runtime.tenant_sources WHERE tenant_id = %s AND id = %s", (tenant, feed.source_id)
        ).fetchone()
    assert row == {"url": changed.url}
    assert _audited(runtime, tenant, feed)[:3] == ["feed.add", "feed.version", "feed.change"]
    assert change_feed(runtime, tenant, feed.id, {"most_loss": 0.9}, actor="test") == feed_now(runtime, feed)
    assert _audited(runtime, tenant, feed).count("feed.change") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://10.0.0.1/internal"}, {"cron": "* * * * *"}, {"time_zone": "Nowhere/Land"}, {"most_loss": 2},
        {"credential": "theirs"}, {"title": " "}, {"origin": "press"}, {"fresh_within_hours": 0}, {"least_rows": -1},
    ],
)  # fmt: skip
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, changes: dict[str, Any]
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(3)))
    with pytest.raises((InputError, NotFoundError)):
        change_feed(runtime, tenant, feed.id, {"rights": "new", **changes}, actor="test")
    assert feed_now(runtime, feed) == feed


def test_what_was_fetched_from_an_address_that_has_changed_meanwhile_is_given_up(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/old", replace(halls_answer(3), pause=0.1)))
    new = server.answer("/new", halls_answer(5))
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(poll_feed, runtime, tenant, feed.id)
        while not server.asked:
            time.sleep(0.01)
        change_feed(runtime, tenant, feed.id, {"url": new}, actor="test")
        assert asking.result().answer is Answer.NOT_DUE
    assert stored_versions(runtime, feed) == []
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.VERSION
    assert [version.profile.rows for version in stored_versions(runtime, feed)] == [5]


def test_a_feed_goes_stale_though_nobody_asks_it(runtime: RuntimeOnAClock, tenant: TenantId, server: Server) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(3)), fresh_within_hours=2)
    poll_now(runtime, feed)
    assert feed.id not in [each.id for each in note_stale_feeds(runtime)]
    runtime.clock.forward(hours=3)
    assert feed.id in [each.id for each in note_stale_feeds(runtime)]
    assert feed.id not in [each.id for each in note_stale_feeds(runtime)]
    assert _audited(runtime, tenant, feed).count("feed.stale") == 1


def test_a_tenants_login_holds_up_no_feed_but_its_own(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenant_pipeline.storage.database.LONGEST_LOCK_WAIT", "100ms")
    locking, locked_out = registered_tenant(runtime), registered_tenant(runtime)
    held, cut_off, well = (
        new_feed(runtime, each, server.answer(f"/{each}", halls_answer(1)), fresh_within_hours=2)
        for each in (locking, locked_out, tenant)
    )
    runtime.clock.forward(hours=3)
    database = runtime.database
    with psycopg.connect(
        make_conninfo(database.conninfo(), user=login_of(locking), password=database.password_of(login_of(locking)))
    ) as intruder:
        intruder.execute("SELECT FROM runtime.feeds FOR UPDATE")
        database.close()
        with database.administration() as connection:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD 'known to nobody'").format(sql.Identifier(login_of(locked_out)))
            )
        noted = [each.id for each in note_stale_feeds(runtime)]
        assert well.id in noted
        assert not {held.id, cut_off.id} & set(noted)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            poll_feed(runtime, locking, held.id)
    with database.administration() as connection:
        login = login_of(locked_out)
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(login), sql.Literal(database.password_of(login)))
        )
    assert {held.id, cut_off.id} <= {each.id for each in note_stale_feeds(runtime)}


def test_the_feeds_of_one_tenant_do_not_hold_up_those_of_another(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    for number in range(20):
        new_feed(runtime, tenant, server.answer(f"/{number}", halls_answer(1)))
    other = registered_tenant(runtime)
    runtime.clock.forward(seconds=1)
    single = new_feed(runtime, other, server.answer("/single", halls_answer(1)))
    runtime.clock.forward(seconds=1)
    due = [each for each in due_feeds(runtime, 1000) if each[0] in (tenant, other)]
    assert due.index((other, single.id)) <= 1


def test_a_tenant_whose_links_are_off_or_that_is_suspended_gets_nothing_by_feed_and_none_is_called_dead(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(3)))
    grant_role(runtime, tenant, person="ann", role="tenant-admin", granted_by="test")
    word = {"person": "ann", "role": "tenant-admin", "reason": "Too many broken links"}
    set_flag(runtime, tenant, "intake.links", False, **word)
    assert (tenant, feed.id) not in due_feeds(runtime, 1000)
    with pytest.raises(SwitchedOffError):
        poll_feed(runtime, tenant, feed.id)
    with pytest.raises(SwitchedOffError):
        new_feed(runtime, tenant, server.answer("/other", halls_answer(3)))
    clear_flag(runtime, tenant, "intake.links", **word)
    _set_state(runtime, tenant, "suspended")
    assert (tenant, feed.id) not in due_feeds(runtime, 1000)
    with pytest.raises(StateForbidsError):
        poll_feed(runtime, tenant, feed.id)
    assert (server.asked, feed_now(runtime, feed).failures) == ([], 0)
    _set_state(runtime, tenant, "draft")
    assert (tenant, feed.id) in due_feeds(runtime, 1000)
    assert poll_feed(runtime, tenant, feed.id).answer is Answer.VERSION


def test_what_was_fetched_for_a_tenant_that_was_suspended_meanwhile_is_given_up(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", replace(halls_answer(3), pause=0.1)))
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(poll_feed, runtime, tenant, feed.id)
        while not server.asked:
            time.sleep(0.01)
        _set_state(runtime, tenant, "suspended")
        answer = asking.result()
    assert (answer.answer, answer.detail) == (Answer.NOT_DUE, "The tenant is suspended")
    assert stored_versions(runtime, feed) == []


def _set_state(runtime: Runtime, tenant: TenantId, state: str) -> None:
    with runtime.database.platform() as connection:
        connection.execute("UPDATE runtime.tenants SET status = %s WHERE id = %s", (state, tenant))

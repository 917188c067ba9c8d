"""Releases: the same draft is the same release, seen whole or not at all, compared, gone back to, and never changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.release.difference import Held, differences
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.linking.score import Match
from tenant_pipeline.services import registry
from tenant_pipeline.services.approvals.deciding import decide
from tenant_pipeline.services.approvals.queue import list_requests
from tenant_pipeline.services.approvals.refusals import ApprovalMissingError
from tenant_pipeline.services.conflicts import bulk_signing
from tenant_pipeline.services.conflicts.authority import Signer
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.conflicts.reading import list_conflicts
from tenant_pipeline.services.conflicts.refusals import DecisionOutdatedError
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.conflicts.signing import Choice, resolve
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.going_live.releases import publish_approved, request_release, request_rollback
from tenant_pipeline.services.judgements import judge, reverse
from tenant_pipeline.services.releases import building, comparing, publishing
from tenant_pipeline.services.releases.building import build_candidate
from tenant_pipeline.services.releases.checks import ReleaseRefusedError, check_release
from tenant_pipeline.services.releases.comparing import compare_releases
from tenant_pipeline.services.releases.reading import (
    documents_of,
    list_releases,
    live_release,
    publishing_history,
    release,
    release_named,
)
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import login_of
from tests.integration.conflict_statements import Sources
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.integration.judgement_steps import CAPACITY, WORD
from tests.integration.judgement_steps import Tenant as Halls
from tests.integration.releasable import PEOPLE, approve_everything, publish_draft, releasable, served, settle


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def made(runtime: Runtime) -> Sources:
    return releasable(runtime)


def version_seen(runtime: Runtime, tenant: TenantId) -> str | None:
    with runtime.database.tenant(tenant) as connection:
        row = connection.execute(f"SELECT version FROM {login_of(tenant)}.live").fetchone()
    return str(row["version"]) if row else None


def test_the_same_draft_is_the_same_release_and_nobody_sees_it_before_it_is_published(
    runtime: Runtime, made: Sources
) -> None:
    first = build_candidate(runtime, made.tenant, requested_by="kanya").release
    again = build_candidate(runtime, made.tenant, requested_by="anan").release
    assert first == again
    assert (first.version, first.entities, first.values) == ("1.0.0", 2, 5)
    with runtime.database.platform() as connection:
        assert [each.digest for each in list_releases(connection, made.tenant)] == [first.digest]
        assert live_release(connection, made.tenant) is None
    assert [check.name for check in check_release(runtime, first) if not check.passed] == []


def test_a_document_tells_of_each_value_where_it_comes_from_and_why_it_was_chosen(
    runtime: Runtime, made: Sources
) -> None:
    built = build_candidate(runtime, made.tenant, requested_by="kanya").release
    (hall, pavilion) = documents_of(runtime, made.tenant, built)
    assert hall["names"] == {"en": ["Phuket Hall"], "th": ["หอประชุมภูเก็ต"], "zh": ["普吉會堂"]}
    (postcode,) = [each for each in hall["values"] if each["property"] == "postalCode"]
    assert (postcode["value"], postcode["rule"], postcode["decided"]) == ("83000", "agreed", True)
    (source,) = postcode["sources"]
    assert (source["source_title"], source["origin"], source["rights"]) == (
        "Register of halls",
        "partner-doc",
        "CC BY 4.0",
    )
    assert pavilion["names"] == {"en": ["Kata Pavilion"]}


def test_without_every_approval_nothing_is_published_and_the_refusal_says_whose_is_missing(
    runtime: Runtime, made: Sources
) -> None:
    request_release(runtime, made.tenant, requested_by="kanya")
    approve_everything(runtime, made.tenant, but="gov")
    with pytest.raises(ApprovalMissingError, match="gate-go-live waits for platform-governance"):
        publish_approved(runtime, made.tenant, run_by="run")
    assert registry.show_tenant(runtime, made.tenant)["status"] == "draft"
    approve_everything(runtime, made.tenant)
    publish_approved(runtime, made.tenant, run_by="run")
    assert registry.show_tenant(runtime, made.tenant)["status"] == "review"
    assert set(served(runtime, made.tenant)) == {"can-hall", "can-pavilion"}
    with runtime.database.platform() as connection:
        assert [entry["stage"] for entry in publishing_history(connection, made.tenant)] == [
            "draft",
            "review",
            "approved",
            "published",
        ]


def test_versions_tell_what_changed_and_the_difference_names_it(runtime: Runtime, made: Sources) -> None:
    assert publish_draft(runtime, made.tenant) == "1.0.0"
    with pytest.raises(InputError, match="live already"):
        request_release(runtime, made.tenant, requested_by="kanya")
    made.say(3, ("name", "en", "New Arena"), entity="can-arena", compare=False, title="Press")
    settle(made)
    assert publish_draft(runtime, made.tenant) == "1.1.0"
    with runtime.database.tenant(made.tenant) as connection:
        first, second = list_releases(connection, made.tenant)
    (change,) = differences(documents_of(runtime, made.tenant, first), documents_of(runtime, made.tenant, second))
    assert (change.label, change.change) == ("New Arena", "added")
    assert [(each.property, each.after) for each in change.properties] == [
        ("name", (Held("New Arena", "", "", ("Press",)),))
    ]
    gone = list(differences(documents_of(runtime, made.tenant, second), documents_of(runtime, made.tenant, first)))
    assert [each.change for each in gone] == ["removed"]


def test_all_that_a_first_release_brings_is_read_page_by_page_before_anybody_signs_it(
    runtime: Runtime, made: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.say(3, ("name", "en", "West Arena"), entity="can-west", compare=False)
    settle(made)
    request_release(runtime, made.tenant, requested_by="kanya")
    with runtime.database.tenant(made.tenant) as connection:
        (asked,) = list_releases(connection, made.tenant)
    read: list[str] = []

    def documents_that_are_read(*given: Any) -> Iterator[dict[str, Any]]:
        for document in documents_of(*given):
            read.append(document["id"])
            yield document

    monkeypatch.setattr(comparing, "documents_of", documents_that_are_read)
    first = compare_releases(runtime, made.tenant, None, asked.digest, limit=1)
    assert (first.before, first.counts.entities_added, first.next) == (None, 3, "can-hall")
    assert read == ["can-hall", "can-pavilion"], "and nothing behind the page"
    (hall,) = first.shown
    assert (hall.label, hall.change) == ("Phuket Hall", "added")
    assert ("postalCode", (Held("83000", "", "", ("Register of halls",)),)) in [
        (one.property, one.after) for one in hall.properties
    ]
    rest = compare_releases(runtime, made.tenant, None, asked.digest, limit=2, beyond="can-hall")
    assert (rest.counts, [each.label for each in rest.shown], rest.next) == (
        first.counts,
        ["Kata Pavilion", "West Arena"],
        None,
    )
    with pytest.raises(NotFoundError):
        compare_releases(runtime, ATTACKER, None, asked.digest, limit=1)


KILLED = """
import os, signal, sys
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.going_live.releases import publish_approved
from tenant_pipeline.services.pii_analyzer import analyzer
from tenant_pipeline.services.releases import publishing
from tenant_pipeline.services.runtime import connect
from tenant_pipeline.settings import Settings

analyzer()  # once, and not anew in each that is forked

def dies(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)

for moment in ("_lay_down", "_load", "_record", "_show", "hand_to_instance", "_audit", "audited"):
    if (child := os.fork()) == 0:
        if moment == "audited":
            audit = publishing._audit
            publishing._audit = lambda *given: (audit(*given), dies())
        else:
            setattr(publishing, moment, dies)
        with connect(Settings()) as runtime:
            publish_approved(runtime, TenantId(sys.argv[1]), run_by="run")
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    print(moment, "killed" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else status, flush=True)
    sys.stdin.readline()
"""


@pytest.mark.slow
def test_a_release_that_is_killed_in_the_middle_is_seen_by_nobody_and_published_once_when_run_again(
    runtime: Runtime, made: Sources
) -> None:
    publish_draft(runtime, made.tenant)
    made.say(3, ("name", "en", "New Arena"), entity="can-arena", compare=False, title="Press")
    settle(made)
    request_release(runtime, made.tenant, requested_by="kanya")
    approve_everything(runtime, made.tenant)
    before = served(runtime, made.tenant)
    moments = []
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, made.tenant],
        env={**os.environ, "TENANT_RUNTIME_HOME": str(runtime.settings.home)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        for line in process.stdout:
            moment, ended = line.split()
            assert ended == "killed", line
            assert (version_seen(runtime, made.tenant), served(runtime, made.tenant)) == ("1.0.0", before), moment
            moments.append(moment)
            process.stdin.write("\n")
            process.stdin.flush()
    assert len(moments) == 7
    assert publish_approved(runtime, made.tenant, run_by="run")["version"] == "1.1.0"
    assert set(served(runtime, made.tenant)) == {"can-hall", "can-pavilion", "can-arena"}
    with pytest.raises(ApprovalMissingError):
        publish_approved(runtime, made.tenant, run_by="run")
    with runtime.database.platform() as connection:
        stages = [entry["stage"] for entry in publishing_history(connection, made.tenant)]
        assert stages.count("published") == 2
        report = runtime.audit.verify(connection, made.tenant)
    assert report.intact, report.problem
    assert served(runtime, made.tenant).keys() - before.keys() == {"can-arena"}


def test_going_back_is_a_new_entry_that_points_to_an_old_one_and_is_approved_itself(
    runtime: Runtime, made: Sources
) -> None:
    publish_draft(runtime, made.tenant)
    made.say(3, ("name", "en", "New Arena"), entity="can-arena", compare=False)
    settle(made)
    publish_draft(runtime, made.tenant)
    with runtime.database.platform() as connection:
        first, second = list_releases(connection, made.tenant)
    request_rollback(runtime, made.tenant, first.digest, requested_by="kanya", reason="Wrong arena")
    with pytest.raises(ApprovalMissingError):
        publish_approved(runtime, made.tenant, run_by="run")
    assert version_seen(runtime, made.tenant) == "1.1.0"
    approve_everything(runtime, made.tenant)
    done = publish_approved(runtime, made.tenant, run_by="run")
    assert (done["operation"], version_seen(runtime, made.tenant)) == ("rollback", "1.0.0")
    assert set(served(runtime, made.tenant)) == {"can-hall", "can-pavilion"}
    with runtime.database.platform() as connection:
        *_, published, last = publishing_history(connection, made.tenant)
    assert (published["release_digest"], last["release_digest"]) == (second.digest, first.digest)
    assert (last["reason"], last["rollback_to"]) != ("", None)
    with pytest.raises(InputError, match="is live"):
        request_rollback(runtime, made.tenant, first.digest, requested_by="kanya", reason="Again")


def test_going_back_undoes_no_release_that_was_published_after_it_was_asked_for(
    runtime: Runtime, made: Sources
) -> None:
    publish_draft(runtime, made.tenant)
    made.say(3, ("name", "en", "New Arena"), entity="can-arena", compare=False)
    settle(made)
    publish_draft(runtime, made.tenant)
    with runtime.database.platform() as connection:
        first, second = list_releases(connection, made.tenant)
    asked = request_rollback(runtime, made.tenant, first.digest, requested_by="kanya", reason="Wrong arena")
    made.say(4, ("name", "en", "Old Arena"), entity="can-old", compare=False)
    settle(made)
    assert publish_draft(runtime, made.tenant) == "1.2.0"
    approve_everything(runtime, made.tenant)
    with pytest.raises(InputError, match="Something else was published") as refused:
        publish_approved(runtime, made.tenant, run_by="run")
    assert "sk again" in refused.value.remedy
    assert version_seen(runtime, made.tenant) == "1.2.0"
    ended = {each.request.id: each.steps for each in list_requests(runtime, made.tenant)}
    assert [[step["step"] for step in ended[each.request.id]] for each in asked] == [["withdrawn"]]
    with pytest.raises(ApprovalMissingError, match="nothing was asked for"):
        publish_approved(runtime, made.tenant, run_by="run")
    request_rollback(runtime, made.tenant, second.digest, requested_by="kanya", reason="Wrong arena")
    approve_everything(runtime, made.tenant)
    assert publish_approved(runtime, made.tenant, run_by="run")["operation"] == "rollback"
    assert version_seen(runtime, made.tenant) == "1.1.0"


def test_a_release_that_was_built_on_what_is_no_longer_live_ends_and_bars_no_way_back(
    runtime: Runtime, made: Sources
) -> None:
    publish_draft(runtime, made.tenant)
    made.say(3, ("name", "en", "New Arena"), entity="can-arena", compare=False)
    settle(made)
    publish_draft(runtime, made.tenant)
    made.say(4, ("name", "en", "Old Arena"), entity="can-old", compare=False)
    settle(made)
    (outdated, *_) = request_release(runtime, made.tenant, requested_by="kanya")
    with runtime.database.platform() as connection:
        first, second, _ = list_releases(connection, made.tenant)
    request_rollback(runtime, made.tenant, first.digest, requested_by="kanya", reason="Wrong arena")
    for person in ("anan", "gov"):
        for waiting in list_requests(runtime, made.tenant, person=person, waiting_only=True):
            if str(waiting.operation) == "rollback":
                decide(
                    runtime, made.tenant, waiting.request.id, digest=waiting.request.subject_digest, approves=True,
                    person=person, role=PEOPLE[person], reason="Seen",
                )  # fmt: skip
    publish_approved(runtime, made.tenant, run_by="run")
    assert version_seen(runtime, made.tenant) == "1.0.0"
    request_rollback(runtime, made.tenant, second.digest, requested_by="kanya", reason="It was right")
    approve_everything(runtime, made.tenant)
    with pytest.raises(InputError, match="since this release was built"):
        publish_approved(runtime, made.tenant, run_by="run")
    (ended,) = [each for each in list_requests(runtime, made.tenant) if each.request.id == outdated.request.id]
    assert (ended.steps[-1]["step"], ended.steps[-1]["person"]) == ("withdrawn", "run")
    assert "Something else was published" in ended.steps[-1]["reason"]
    assert publish_approved(runtime, made.tenant, run_by="run")["version"] == "1.1.0"


def add_arena(made: Sources, number: int) -> None:
    made.say(number, ("name", "en", f"Arena {number}"), entity=f"can-arena-{number}", compare=False)
    settle(made)


def go_back(runtime: Runtime, tenant: TenantId, version: str) -> None:
    with runtime.database.platform() as connection:
        wanted = release_named(connection, tenant, version)
    request_rollback(runtime, tenant, wanted.digest, requested_by="kanya", reason="Wrong arena")
    approve_everything(runtime, tenant)
    assert publish_approved(runtime, tenant, run_by="run")["version"] == version


def test_each_version_is_one_release_also_after_going_back(runtime: Runtime, made: Sources) -> None:
    tenant = made.tenant
    publish_draft(runtime, tenant)
    add_arena(made, 3)
    assert publish_draft(runtime, tenant) == "1.1.0"
    go_back(runtime, tenant, "1.0.0")
    assert publish_draft(runtime, tenant) == "1.1.0"
    go_back(runtime, tenant, "1.0.0")
    add_arena(made, 4)
    assert publish_draft(runtime, tenant) == "1.2.0"
    with runtime.database.platform() as connection:
        releases = list_releases(connection, tenant)
        assert [each.version for each in releases] == ["1.0.0", "1.1.0", "1.2.0"]
        assert [release_named(connection, tenant, each.version) for each in releases] == releases


def test_a_version_that_was_published_twice_before_versions_were_told_apart_names_neither(
    runtime: Runtime, made: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = made.tenant
    publish_draft(runtime, tenant)
    add_arena(made, 3)
    publish_draft(runtime, tenant)
    go_back(runtime, tenant, "1.0.0")
    add_arena(made, 4)

    def ask_as_an_earlier_version_did() -> None:
        with monkeypatch.context() as earlier:
            earlier.setattr(building, "published_as", lambda *_: [])
            request_release(runtime, tenant, requested_by="kanya")
        approve_everything(runtime, tenant)

    ask_as_an_earlier_version_did()
    with pytest.raises(InputError, match=r"Another release was published as 1\.1\.0"):
        publish_approved(runtime, tenant, run_by="run")
    ask_as_an_earlier_version_did()
    with monkeypatch.context() as earlier:
        earlier.setattr(publishing, "published_as", lambda *_: [])
        assert publish_approved(runtime, tenant, run_by="run")["version"] == "1.1.0"
    with runtime.database.platform() as connection:
        _, *twice = list_releases(connection, tenant)
        with pytest.raises(InputError, match=r"2 releases were published as 1\.1\.0") as refused:
            release_named(connection, tenant, "1.1.0")
        assert all(each.digest[:12] in refused.value.remedy for each in twice)
        assert [release_named(connection, tenant, each.digest[:12]) for each in twice] == twice


def test_a_release_that_fails_a_check_is_not_even_asked_for(runtime: Runtime, made: Sources) -> None:
    made.say(3, ("postalCode", "", "99999"), title="Wrong list")
    with pytest.raises(ReleaseRefusedError, match="conflicts-signed"):
        request_release(runtime, made.tenant, requested_by="kanya")
    personal = releasable(runtime)
    personal.say(4, ("description", "en", "Owner's id card 3-1006-00445-63-5"), entity="can-x", compare=False)
    settle(personal)
    with pytest.raises(ReleaseRefusedError, match="no-raw-personal-data") as refused:
        request_release(runtime, personal.tenant, requested_by="kanya")
    assert "3-1006" not in str(refused.value)


def test_nothing_is_released_of_what_was_not_compared_and_nothing_is_lost_when_two_were_judged_to_be_one(
    runtime: Runtime, tmp_path: Path
) -> None:
    halls = Halls(runtime, tmp_path)
    first = halls.add("a", "Assembly Hall,100,,,")
    second = halls.add("b", "Assembly Hall,200,,,", compare=False)

    def released() -> set[str]:
        built = build_candidate(runtime, halls.id, requested_by="kanya").release
        documents = documents_of(runtime, halls.id, built)
        return {value["value"] for each in documents for value in each["values"] if value["property"] == CAPACITY}

    with pytest.raises(ReleaseRefusedError, match=f"1 sources have yet to be compared with the others: {second}"):
        request_release(runtime, halls.id, requested_by="kanya")
    update_conflicts(runtime, halls.id, second)
    assert released() == {"100", "200"}
    judge(runtime, halls.id, halls.canonical(first), halls.canonical(second), Match.SAME, **WORD)
    for waiting, source in ((2, first), (1, second)):
        with pytest.raises(ReleaseRefusedError, match=f"^{waiting} sources .*{second}") as refused:
            request_release(runtime, halls.id, requested_by="kanya")
        assert "tenant-pipeline run" in refused.value.remedy
        update_conflicts(runtime, halls.id, source)
    with pytest.raises(ReleaseRefusedError, match="2 sources have yet to be scored as they are now: "):
        request_release(runtime, halls.id, requested_by="kanya")
    for source in (first, second):
        update_coverage(runtime, halls.id, source)
    assert len(released()) == 1
    built = build_candidate(runtime, halls.id, requested_by="kanya").release
    assert "conflicts-signed" in {check.name for check in check_release(runtime, built) if not check.passed}


def test_what_was_judged_and_not_compared_since_holds_up_a_release_that_was_built_before(
    runtime: Runtime, tmp_path: Path
) -> None:
    halls = Halls(runtime, tmp_path)
    first, second = halls.add("a", "Assembly Hall,100,,,"), halls.add("b", "Assembly Hall,200,,,")
    judged = judge(runtime, halls.id, halls.canonical(first), halls.canonical(second), Match.SAME, **WORD)
    for source in (first, second):
        update_conflicts(runtime, halls.id, source)
        update_coverage(runtime, halls.id, source)
    built = build_candidate(runtime, halls.id, requested_by="kanya").release
    (item,) = list_conflicts(runtime, halls.id, source=None, property_=CAPACITY, verdict=None, limit=9)
    reverse(runtime, halls.id, judged.sequence, **WORD)

    def signed() -> bool:
        return {each.name: each.passed for each in check_release(runtime, built)}["conflicts-signed"]

    assert not signed(), "its items are not decided, they are to be found anew"
    ann = Signer(WORD["person"], WORD["role"], WORD["reason"])
    with pytest.raises(DecisionOutdatedError, match="yet to be compared"):
        resolve(runtime, halls.id, item["conflict_id"], digest="", choice=Choice(Decision.BOTH_RIGHT), signer=ann)
    for source in (first, second):
        update_conflicts(runtime, halls.id, source)
    assert signed()


def test_of_values_that_held_one_after_the_other_each_is_released_with_its_period(
    runtime: Runtime, made: Sources
) -> None:
    made.say(3, (CAPACITY, "", "500"), tier=1, title="Register of 2019", valid=("2015", "2019"))
    made.say(4, (CAPACITY, "", "700"), tier=2, title="City list", valid=("2020", ""))
    settle(made)
    request_release(runtime, made.tenant, requested_by="kanya")
    built = build_candidate(runtime, made.tenant, requested_by="kanya").release
    hall, _ = documents_of(runtime, made.tenant, built)
    capacities = [each for each in hall["values"] if each["property"] == CAPACITY]
    assert [(each["value"], each["valid_from"], each["valid_to"], each["decided"]) for each in capacities] == [
        ("500", "2015", "2019", False),
        ("700", "2020", "", False),
    ]
    assert [source["source_title"] for each in capacities for source in each["sources"]] == [
        "Register of 2019",
        "City list",
    ]
    item = made.item(property=CAPACITY)
    assert (item["status"], item["rule"], item["needs_person"]) == ("explained", "valid_at_different_times", False)
    listed = bulk_signing.preview(runtime, made.tenant, proposed_rule=item["proposed_rule"], verdict=item["verdict"])
    assert listed["items"] == [], "a list takes one value of each"
    proposal = made.form(item["conflict_id"])["proposal"]
    assert (proposal["decision"], proposal["numbers"]) == ("both-right", [1, 2])
    made.say(5, (CAPACITY, "", "900"), tier=2, title="Press", valid=("2021", ""))
    with pytest.raises(ReleaseRefusedError, match="conflicts-signed"):
        request_release(runtime, made.tenant, requested_by="kanya")
    assert made.item(property=CAPACITY)["needs_person"]


def test_what_was_published_meanwhile_voids_a_release_that_was_built_before(runtime: Runtime, made: Sources) -> None:
    request_release(runtime, made.tenant, requested_by="kanya")
    approve_everything(runtime, made.tenant)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: _attempt(runtime, made.tenant), range(8)))
    assert outcomes.count("published") == 1
    with runtime.database.platform() as connection:
        published = [entry for entry in publishing_history(connection, made.tenant) if entry["stage"] == "published"]
    assert len(published) == 1


def _attempt(runtime: Runtime, tenant: TenantId) -> str:
    try:
        publish_approved(runtime, tenant, run_by="run")
    except (InputError, ApprovalMissingError) as error:
        return error.code
    return "published"


def test_another_tenant_finds_no_release_and_sees_no_serving_table(
    tenants: TwoTenants, runtime: Runtime, made: Sources
) -> None:
    publish_draft(runtime, made.tenant)
    with runtime.database.platform() as connection:
        (built,) = list_releases(connection, made.tenant)
        with pytest.raises(NotFoundError):
            release(connection, ATTACKER, built.digest)
    with pytest.raises(NotFoundError):
        request_rollback(runtime, ATTACKER, built.digest, requested_by="eve", reason="x")
    schema = login_of(made.tenant)
    for relation in ("live", "live_documents", "release_documents", "releases", "flags"):
        with tenants.login(ATTACKER) as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute(f"SELECT * FROM {schema}.{relation}")


def test_the_tenants_own_login_publishes_nothing_and_changes_no_release(
    tenants: TwoTenants, runtime: Runtime, made: Sources
) -> None:
    publish_draft(runtime, made.tenant)
    schema = login_of(made.tenant)
    for statement in (
        f"UPDATE {schema}.live_release SET switched_at = now()",
        f"DELETE FROM {schema}.release_documents",
        f"INSERT INTO {schema}.instance_flags (flag, value) VALUES ('x', '1')",
        f"UPDATE {schema}.live SET version = '9.9.9'",
        f"CREATE OR REPLACE VIEW {schema}.live AS SELECT 1",
        "INSERT INTO runtime.publish_pipeline (tenant_id, stage, created_by) VALUES ('x', 'draft', 'eve')",
        "UPDATE runtime.releases SET version = '9.9.9'",
    ):
        with tenants.login(made.tenant) as login, pytest.raises(psycopg.Error) as refused:
            login.execute(statement)
        assert refused.value.sqlstate in ("42501", "55000"), json.dumps(statement)


def test_publishing_waits_for_no_reader(runtime: Runtime, made: Sources) -> None:
    publish_draft(runtime, made.tenant)
    made.say(3, ("name", "en", "New Arena"), entity="can-arena", compare=False)
    settle(made)
    with runtime.database.tenant(made.tenant) as reader:
        for relation in ("live", "live_documents", "flags"):
            reader.execute(f"SELECT * FROM {login_of(made.tenant)}.{relation}").fetchall()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(publish_draft, runtime, made.tenant).result(timeout=20) == "1.1.0"

"""A source that ought not to be there is taken out: it says nothing, counts nowhere and runs no more; history stays."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tenant_pipeline.core.errors import InputError, NotFoundError, SourceWithdrawnError
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.conflicts.signing import Choice, resolve
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.going_live.releases import publish_approved, request_release
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.releases.checks import ReleaseRefusedError
from tenant_pipeline.services.releases.reading import live_release
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.withdrawals import withdraw_source
from tenant_pipeline.storage.audit_log import AuditLog
from tests.integration.conflict_statements import ANN, Sources, new_tenant
from tests.integration.conftest import ATTACKER, SOURCE, VICTIM, TwoTenants
from tests.integration.feed_steps import (
    RuntimeOnAClock,
    feed_now,
    halls_answer,
    names_of,
    new_feed,
    poll_now,
    runtime,
    server,
    tenant,
    walk_through,
)
from tests.integration.releasable import approve_everything, releasable
from tests.integration.source_steps import audited, band, handed_in, lacks_rights, standing, walk
from tests.unit.intake.link_server import Server

__all__ = ["runtime", "server", "tenant"]  # fixtures

WORD = {"person": "anan", "role": "tenant-admin", "reason": "The wrong file"}


@pytest.fixture
def sources(tenants: TwoTenants) -> Sources:
    """Two sources that dispute a capacity; a press cutting, handed in as tier 1, wins it."""
    made = new_tenant(tenants.runtime)
    made.say(1, ("maximumAttendeeCapacity", "", "100"), ("name", "en", "Hall"))
    made.say(2, ("maximumAttendeeCapacity", "", "100"), ("name", "en", "Hall"))
    made.say(3, ("maximumAttendeeCapacity", "", "900"), tier=1)
    return made


def in_force(sources: Sources, source: SourceId) -> list[dict[str, Any]]:
    return sources.rows(f"SELECT value FROM runtime.statement_facts WHERE source_id = '{source}'")


def test_what_it_said_is_retired_and_what_it_spoke_of_is_compared_anew(sources: Sources) -> None:
    wrong = SourceId(f"src-{3:016x}")
    item = sources.item(verdict="differs")
    assert item["proposed_value"] == "900"
    resolve(
        sources.runtime, sources.tenant, item["conflict_id"], digest=item["candidates_digest"],
        choice=Choice(Decision.CANDIDATE, 1), signer=ANN,
    )  # fmt: skip
    withdrawn = withdraw_source(sources.runtime, sources.tenant, wrong, **WORD)

    assert (withdrawn.ingest_status, withdrawn.conflicts_count, withdrawn.coverage_score) == ("withdrawn", 0, None)
    assert withdrawn.withdrawal is not None
    assert {name: withdrawn.withdrawal[name] for name in WORD} == WORD
    assert in_force(sources, wrong) == []
    (said,) = sources.rows(f"SELECT value, retired_at FROM runtime.statements WHERE source_id = '{wrong}'")
    assert said["value"] == "900", "its row stays"
    assert said["retired_at"] is not None
    assert sources.items(verdict="differs") == []
    decisions = sources.rows(
        f"SELECT decision FROM runtime.conflict_signatures WHERE conflict_id = '{item['conflict_id']}' ORDER BY number"
    )
    assert [each["decision"] for each in decisions] == ["candidate", "void"]
    assert {row["value"] for row in in_force(sources, SourceId(f"src-{1:016x}"))} == {"100", "Hall"}

    again = withdraw_source(sources.runtime, sources.tenant, wrong, **{**WORD, "reason": "Another"})
    assert again == withdrawn, "a second time changes nothing"
    (entry,) = audited(sources.runtime, sources.tenant, "source.withdraw")
    assert (entry["actor"], entry["subject"], entry["details"]["retired"]) == ("anan", wrong, 1)


def test_a_source_without_rights_that_is_withdrawn_holds_its_tenant_up_no_more(
    runtime: RuntimeOnAClock, tenant: TenantId, tmp_path: Path
) -> None:
    wrong = handed_in(runtime, tenant, tmp_path, origin=Origin.REGULATOR)
    walk(runtime, wrong)
    assert lacks_rights(runtime, tenant)
    withdraw_source(runtime, tenant, wrong.id, **WORD)
    right = handed_in(runtime, tenant, tmp_path, origin=Origin.PRESS, rights="quoted")
    walk(runtime, right)
    assert band(runtime, tenant, "rights_and_privacy") is Band.PASS
    assert not lacks_rights(runtime, tenant)

    for stage in (STAGES[0], Stage.LINK, Stage.ASSEMBLE):
        with pytest.raises(SourceWithdrawnError):
            run_stage(runtime, tenant, wrong.id, stage)
    for judge in (update_conflicts, update_coverage):
        with pytest.raises(SourceWithdrawnError):
            judge(runtime, tenant, wrong.id)
    assert standing(runtime, wrong).ingest_status == "withdrawn", "no run stops it, or puts it in line"
    assert standing(runtime, wrong).hindrance is None
    with pytest.raises(SourceWithdrawnError) as refused:
        handed_in(runtime, tenant, tmp_path, origin=Origin.REGULATOR)
    assert "another title" in refused.value.remedy
    assert handed_in(runtime, tenant, tmp_path, origin=Origin.REGULATOR, title="It was right").id != wrong.id


def test_one_that_is_on_its_way_never_arrives(runtime: RuntimeOnAClock, tenant: TenantId, tmp_path: Path) -> None:
    source = handed_in(runtime, tenant, tmp_path)
    for stage in STAGES[:-1]:
        run_stage(runtime, tenant, source.id, stage)
    with ThreadPoolExecutor(2) as pool:
        with runtime.database.tenant(tenant) as connection:
            connection.execute("SELECT app.lock('linking', %s)", (tenant,))
            withdrawing = pool.submit(withdraw_source, runtime, tenant, source.id, **WORD)
            _until_so_many_wait(runtime, 1)
            assembling = pool.submit(run_stage, runtime, tenant, source.id, Stage.ASSEMBLE)
            _until_so_many_wait(runtime, 2)
        assert withdrawing.result().is_withdrawn
        with pytest.raises(SourceWithdrawnError):
            assembling.result()
    assert standing(runtime, source).ingest_status == "withdrawn"
    with runtime.database.tenant(tenant) as connection:
        said = connection.execute("SELECT FROM runtime.statements WHERE tenant_id = %s", (tenant,))
        assert said.rowcount == 0


def _until_so_many_wait(runtime: Runtime, many: int) -> None:
    waiting = 0
    while waiting < many:
        time.sleep(0.01)
        with runtime.database.administration() as connection:
            waiting = connection.execute(
                "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'"
            ).rowcount


def test_a_withdrawal_that_is_killed_has_changed_nothing_and_is_done_again(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = SourceId(f"src-{3:016x}")
    before = sources.item(verdict="differs")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(AuditLog, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            withdraw_source(sources.runtime, sources.tenant, wrong, **WORD)
    assert sources.item(verdict="differs") == before
    assert len(in_force(sources, wrong)) == 1
    assert withdraw_source(sources.runtime, sources.tenant, wrong, **WORD).is_withdrawn


def test_a_feed_of_it_ends_and_what_it_holds_back_is_not_taken_in(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(3)))
    poll_now(runtime, feed)
    walk_through(runtime, feed)
    assert names_of(runtime, feed)
    withdraw_source(runtime, tenant, feed.source_id, **WORD)
    assert feed_now(runtime, feed).status == "ended"
    assert names_of(runtime, feed) == set()
    with pytest.raises(InputError):
        poll_now(runtime, feed)


def test_a_release_that_was_asked_for_before_is_not_published_with_it(tenants: TwoTenants) -> None:
    made = releasable(tenants.runtime)
    request_release(made.runtime, made.tenant, requested_by="kanya")
    approve_everything(made.runtime, made.tenant)
    wrong = SourceId(f"src-{2:016x}")
    withdraw_source(made.runtime, made.tenant, wrong, **WORD)
    with pytest.raises(ReleaseRefusedError) as refused:
        publish_approved(made.runtime, made.tenant, run_by="run")
    assert "no-source-withdrawn" in refused.value.what

    request_release(made.runtime, made.tenant, requested_by="kanya")
    approve_everything(made.runtime, made.tenant)
    publish_approved(made.runtime, made.tenant, run_by="run")
    with made.runtime.database.platform() as connection:
        live = live_release(connection, made.tenant)
    assert live is not None
    assert wrong not in live.sources
    withdraw_source(made.runtime, made.tenant, SourceId(f"src-{1:016x}"), **WORD)
    with made.runtime.database.platform() as connection:
        assert live_release(connection, made.tenant) == live, "what is published stays as it is"


@pytest.mark.parametrize("said", [{"reason": " "}, {"person": ""}])
def test_a_withdrawal_names_who_and_why(sources: Sources, said: dict[str, str]) -> None:
    with pytest.raises(InputError):
        withdraw_source(sources.runtime, sources.tenant, SourceId(f"src-{3:016x}"), **{**WORD, **said})
    assert len(in_force(sources, SourceId(f"src-{3:016x}"))) == 1


def test_nobody_withdraws_another_tenants_source(tenants: TwoTenants) -> None:
    with pytest.raises(NotFoundError):
        withdraw_source(tenants.runtime, ATTACKER, SOURCE, **WORD)
    with tenants.login(ATTACKER) as connection:
        changed = connection.execute(
            f"UPDATE runtime.tenant_sources SET ingest_status = 'withdrawn' WHERE tenant_id = '{VICTIM}'"
        )
        assert changed.rowcount == 0
    with tenants.superuser() as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "UPDATE runtime.tenant_sources SET ingest_status = 'withdrawn', withdrawal = NULL WHERE tenant_id = %s",
            (VICTIM,),
        )

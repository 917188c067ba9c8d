"""What was said of a source when it was handed in can be put right: it is judged anew by it, and nothing runs twice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tenant_pipeline.core.errors import InputError, NotFoundError, ProcessLostError
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.pseudonym import keyed_digest
from tenant_pipeline.core.setback import MOST_LOSSES_ALONE, Ending
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import source_queue, sources
from tenant_pipeline.services.feeds.feeds import change_feed, set_status
from tenant_pipeline.services.halts import put_back
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.releases.checks import ReleaseRefusedError
from tenant_pipeline.services.releases.judged import require_judged
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_changes import change_source
from tenant_pipeline.services.sources import Source
from tests.integration.conftest import ATTACKER, SOURCE, VICTIM, TwoTenants
from tests.integration.feed_steps import (
    RuntimeOnAClock,
    halls_answer,
    new_feed,
    poll_now,
    runtime,
    server,
    tenant,
)
from tests.integration.source_steps import audited, band, handed_in, lacks_rights, standing, walk
from tests.unit.intake.link_server import Server

__all__ = ["runtime", "server", "tenant"]  # fixtures


def test_a_source_that_stopped_and_lost_its_rights_since_holds_its_tenants_release_up(
    runtime: RuntimeOnAClock, tenant: TenantId, tmp_path: Path
) -> None:
    source = handed_in(runtime, tenant, tmp_path, rights="CC BY 4.0")
    walk(runtime, source)
    with runtime.database.tenant(tenant) as connection:
        require_judged(connection, tenant)
        source_queue.set_progress(connection, tenant, source.id, "map", "stopped")
    change_source(runtime, tenant, source.id, {"rights": ""}, actor="kanya")
    with (
        runtime.database.tenant(tenant) as connection,
        pytest.raises(ReleaseRefusedError, match=f"1 sources have yet to be scored as they are now: {source.id}"),
    ):
        require_judged(connection, tenant)


def test_what_ends_a_source_while_it_is_judged_counts_though_all_its_stages_are_found_again_in_between(
    runtime: RuntimeOnAClock, tenant: TenantId, tmp_path: Path
) -> None:
    source = handed_in(runtime, tenant, tmp_path)

    def ended(ending: Ending) -> Source:
        for stage in STAGES:
            run_stage(runtime, tenant, source.id, stage)
        put_back(runtime, tenant, source.id, ending, ProcessLostError("x"), run_id="r")
        return standing(runtime, source)

    waits = []
    for _ in range(3):
        away = ended(Ending.OUTAGE)
        assert away.not_before is not None
        waits.append(round((away.not_before - away.queued_at).total_seconds()))
    assert waits == [15, 30, 60]
    assert [ended(Ending.LOST).ingest_status for _ in range(1 + MOST_LOSSES_ALONE)] == [
        *["waiting"] * MOST_LOSSES_ALONE, "stopped",
    ]  # fmt: skip
    walk(runtime, source)
    through = standing(runtime, source)
    assert (through.ingest_status, through.alone, through.hindrance) == ("assembled", False, None)


def test_a_source_without_rights_holds_its_tenant_up_until_they_are_declared(
    runtime: Runtime, tenant: TenantId, tmp_path: Path
) -> None:
    source = handed_in(runtime, tenant, tmp_path)
    walk(runtime, source)
    assert band(runtime, tenant, "rights_and_privacy") is Band.FAIL
    assert lacks_rights(runtime, tenant)

    handed_in(runtime, tenant, tmp_path, rights="CC BY 4.0")
    assert standing(runtime, source).rights == "", "handing it in again changes nothing"

    changed = change_source(runtime, tenant, source.id, {"rights": "CC BY 4.0"}, actor="kanya")
    assert (changed.rights, changed.ingest_status) == ("CC BY 4.0", "waiting")
    assert source.id in {each.id for each in source_queue.waiting_sources(runtime, 1000, of_a_tenant=10)}
    records = walk(runtime, source)
    assert [each.stage for each in records if not each.repeated] == ["coverage_score"]
    assert standing(runtime, source).ingest_status == "assembled"
    assert band(runtime, tenant, "rights_and_privacy", source.id) is Band.PASS
    assert band(runtime, tenant, "rights_and_privacy") is Band.PASS
    assert not lacks_rights(runtime, tenant)

    assert change_source(runtime, tenant, source.id, {"rights": "CC BY 4.0"}, actor="kanya").queued_at == (
        standing(runtime, source).queued_at
    ), "the same again changes nothing"
    (entry,) = audited(runtime, tenant, "source.change")
    assert (entry["actor"], entry["subject"]) == ("kanya", source.id)
    told = keyed_digest("rights", "CC BY 4.0", runtime.keys.digest_key(tenant))
    assert entry["details"] == {"changed": ["rights"], "rights": ["", told]}

    change_source(runtime, tenant, source.id, {"rights": ""}, actor="kanya")
    walk(runtime, source)
    assert band(runtime, tenant, "rights_and_privacy") is Band.FAIL, "what it once scored does not stand for it now"
    change_source(runtime, tenant, source.id, {"rights": "CC BY 4.0"}, actor="kanya")
    walk(runtime, source)
    assert band(runtime, tenant, "rights_and_privacy") is Band.PASS


def test_another_date_has_it_compared_and_scored_anew_and_another_title_has_not(
    runtime: Runtime, tenant: TenantId, tmp_path: Path
) -> None:
    source = handed_in(runtime, tenant, tmp_path, rights="own")
    walk(runtime, source)
    assert band(runtime, tenant, "timeliness", source.id) is Band.NOT_ASSESSED
    titled = change_source(runtime, tenant, source.id, {"title": "Halls of the city"}, actor="kanya")
    assert (titled.title, titled.ingest_status) == ("Halls of the city", "assembled")

    change_source(runtime, tenant, source.id, {"observed_at": datetime.now(UTC)}, actor="kanya")
    records = walk(runtime, source)
    assert [each.stage for each in records if not each.repeated] == ["conflict_matrix", "coverage_score"]
    assert band(runtime, tenant, "timeliness", source.id) is Band.PASS

    change_source(runtime, tenant, source.id, {"observed_at": None}, actor="kanya")
    walk(runtime, source)
    assert band(runtime, tenant, "timeliness", source.id) is Band.NOT_ASSESSED


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "regulator"},
        {"title": " "},
        {"observed_at": datetime(2026, 3, 1)},
        {"observed_at": datetime(2569, 3, 1, tzinfo=UTC)},
    ],
)
def test_what_cannot_be_said_of_a_source_is_refused(
    runtime: Runtime, tenant: TenantId, tmp_path: Path, changes: dict[str, Any]
) -> None:
    source = handed_in(runtime, tenant, tmp_path)
    with pytest.raises(InputError):
        change_source(runtime, tenant, source.id, changes, actor="kanya")
    assert standing(runtime, source) == source
    with pytest.raises(NotFoundError):
        change_source(runtime, tenant, SourceId("src-00000000000000ff"), {"rights": "own"}, actor="kanya")


def test_nobody_changes_another_tenants_source(tenants: TwoTenants) -> None:
    with pytest.raises(NotFoundError):
        change_source(tenants.runtime, ATTACKER, SOURCE, {"rights": "mine"}, actor="intruder")
    with tenants.login(ATTACKER) as connection:
        for column in ("rights = 'mine'", "title = 'x'", "observed_at = now()", "redeclared = 9", "redated = 9"):
            changed = connection.execute(f"UPDATE runtime.tenant_sources SET {column} WHERE tenant_id = '{VICTIM}'")
            assert changed.rowcount == 0
    with tenants.login(ATTACKER) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"UPDATE runtime.tenant_sources SET tenant_id = '{ATTACKER}'")


def test_a_file_keeps_its_name_where_its_own_tenant_sees_it(runtime: Runtime, tenant: TenantId, tmp_path: Path) -> None:
    source = handed_in(runtime, tenant, tmp_path)
    run_stage(runtime, tenant, source.id, Stage.RECEIVE)
    known = standing(runtime, source).as_json()
    assert (known["filename"], known["url"]) == ("halls.csv", "")


def test_what_is_changed_of_a_feed_is_changed_of_its_source_and_nowhere_else(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(3)))
    change_feed(runtime, tenant, feed.id, {"title": "Halls"}, actor="kanya")
    poll_now(runtime, feed)
    with runtime.database.tenant(tenant) as connection:
        source = sources.get_source(connection, tenant, feed.source_id)
    walk(runtime, source)
    assert (source.title, band(runtime, tenant, "rights_and_privacy", source.id)) == ("Halls", Band.FAIL)

    with pytest.raises(InputError) as refused:
        change_source(runtime, tenant, source.id, {"rights": "own"}, actor="kanya")
    assert feed.id in refused.value.where
    change_feed(runtime, tenant, feed.id, {"rights": "Open data", "title": "Halls of Phuket"}, actor="kanya")
    now = standing(runtime, source)
    assert (now.rights, now.title, now.ingest_status) == ("Open data", "Halls of Phuket", "waiting")
    walk(runtime, source)
    assert band(runtime, tenant, "rights_and_privacy", source.id) is Band.PASS

    set_status(runtime, tenant, feed.id, "ended", actor="kanya")
    assert change_source(runtime, tenant, source.id, {"rights": "own"}, actor="kanya").rights == "own"

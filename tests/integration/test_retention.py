"""Only what nothing needs is pruned: looked for first, audited, under no legal hold, and wherever it is killed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from psycopg.types.json import Jsonb

from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.cli.dagster_environment import dagster_environment
from tenant_pipeline.core.compliance.control import Outcome
from tenant_pipeline.core.compliance.lawful_basis import LawfulBasis
from tenant_pipeline.core.compliance.processing_record import ProcessingRecord
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import HeldError, InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors.retention import old_runs, prune_runs
from tenant_pipeline.services.compliance.declared_controls import ScreenedSource, retention, screened_sources
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.digest_keys import destroy, list_keys, rotate
from tenant_pipeline.services.erasure.requests import request_erasure
from tenant_pipeline.services.erasure.whole_tenant import erase_tenant
from tenant_pipeline.services.feeds.feeds import Feed
from tenant_pipeline.services.feeds.polling import Answer
from tenant_pipeline.services.kept_units import kept_unit
from tenant_pipeline.services.lineage import every_record
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.releases.building import build_candidate
from tenant_pipeline.services.retention.dagster_history import prune_runless_events, prune_tick_logs
from tenant_pipeline.services.retention.holds import holds_of, lift_hold, place_hold
from tenant_pipeline.services.retention.policies import RetentionClass, set_policy
from tenant_pipeline.services.retention.pruning import plan_pruning, prune
from tenant_pipeline.services.retention.runs import needed_runs
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.sources import Source, get_source
from tenant_pipeline.services.stage_records import StageRecord
from tenant_pipeline.storage.object_store import Zone
from tests.integration.conftest import TwoTenants
from tests.integration.feed_steps import (
    RuntimeOnAClock,
    halls_answer,
    names_of,
    new_feed,
    poll_now,
    registered_tenant,
    walk_through,
)
from tests.unit.intake.link_server import Server, serve

GOVERNANCE: dict[str, Any] = {"person": "gov", "role": "platform-governance", "reason": "The policy of the city"}
BOTH = (RetentionClass.STAGE_OUTPUTS, RetentionClass.RAW_UNITS)


@pytest.fixture
def runtime(tenants: TwoTenants) -> RuntimeOnAClock:
    real = tenants.runtime
    settings = real.settings.model_copy(update={"loopback_links": True})
    return RuntimeOnAClock(settings, real.contracts, real.database, real.keys, real.objects, real.audit)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as server:
        yield server


@pytest.fixture
def tenant(runtime: RuntimeOnAClock) -> TenantId:
    identifier = registered_tenant(runtime)
    grant_role(runtime, identifier, person="gov", role="platform-governance", granted_by="test")
    return identifier


@pytest.fixture
def feed(runtime: RuntimeOnAClock, tenant: TenantId, server: Server) -> Feed:
    """A feed with two versions behind it and a third that stands; the first comes back later."""
    feed = new_feed(
        runtime, tenant, server.answer("/h", halls_answer(4), halls_answer(5), halls_answer(6), halls_answer(4))
    )
    for _ in range(3):
        assert poll_now(runtime, feed).answer is Answer.VERSION
        walk_through(runtime, feed)
        runtime.clock.forward(seconds=10)
    return feed


def _files(runtime: RuntimeOnAClock, tenant: TenantId) -> set[str]:
    zones: tuple[Zone, ...] = (runtime.raw_zone(tenant), runtime.stage_store(tenant).plain)
    return {f"{number} {digest}" for number, zone in enumerate(zones) for digest, _, _ in zone.stored()}


def _policies(runtime: RuntimeOnAClock, tenant: TenantId, days: int | None, *classes: RetentionClass) -> None:
    for kept in classes or BOTH:
        set_policy(runtime, tenant, kept, days, **GOVERNANCE)


def _actions(runtime: RuntimeOnAClock, tenant: TenantId) -> list[tuple[str, Any]]:
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            "SELECT action, details FROM runtime.audit_log WHERE action LIKE 'retention.%' ORDER BY sequence"
        ).fetchall()
    return [(row["action"], row["details"]) for row in rows]


def _source(runtime: RuntimeOnAClock, feed: Feed) -> Source:
    with runtime.database.tenant(feed.tenant) as connection:
        return get_source(connection, feed.tenant, feed.source_id)


def _held_since(runtime: RuntimeOnAClock, tenant: TenantId) -> datetime | None:
    with runtime.database.tenant(tenant) as connection:
        (source,) = screened_sources(connection, runtime, tenant)
    return source.held_since


def _can_be_read(runtime: RuntimeOnAClock, source: Source, records: Sequence[StageRecord]) -> bool:
    """Whether the files of a unit, and all that was made of it, are there, unchanged."""
    store = runtime.stage_store(source.tenant)
    try:
        raw = runtime.raw_zone(source.tenant)
        for file in kept_unit(raw, source.unit_digest).files:
            raw.open(file.sha256).close()
        for record in records:
            for table in store.read(record.output_digest).manifest["tables"]:
                store.fetch(Sha256(table["sha256"])).close()
    except NotFoundError:
        return False
    return True


def _whole(runtime: RuntimeOnAClock, feed: Feed) -> bool:
    """Whether all that the source as it stands was made of, and was made into, can be read."""
    source = _source(runtime, feed)
    records = every_record(runtime, source)
    return len(records) == 9 and _can_be_read(runtime, source, records)


def test_without_a_policy_nothing_is_pruned_and_by_one_only_what_is_old_enough(
    runtime: RuntimeOnAClock, tenant: TenantId, feed: Feed
) -> None:
    before = _files(runtime, tenant)
    runtime.clock.forward(days=400)
    assert sum(plan_pruning(runtime, tenant).files.values()) == 0
    assert sum(prune(runtime, tenant, actor="test").files.values()) == 0
    _policies(runtime, tenant, 500)
    assert sum(plan_pruning(runtime, tenant).files.values()) == 0
    _policies(runtime, tenant, 30)
    planned = plan_pruning(runtime, tenant)
    assert _files(runtime, tenant) == before
    assert planned.files["raw-units"] == 4
    assert planned.files["stage-outputs"] > 15
    assert prune(runtime, tenant, actor="test") == planned
    assert _whole(runtime, feed)
    assert len(names_of(runtime, feed)) == 6
    assert len(before - _files(runtime, tenant)) == sum(planned.files.values())
    assert sum(plan_pruning(runtime, tenant).files.values()) == 0


def test_what_was_pruned_of_a_version_is_made_again_when_its_content_comes_back(
    runtime: RuntimeOnAClock, tenant: TenantId, feed: Feed
) -> None:
    before = _files(runtime, tenant)
    runtime.clock.forward(days=100)
    _policies(runtime, tenant, 30)
    prune(runtime, tenant, actor="test")
    gone = before - _files(runtime, tenant)
    assert poll_now(runtime, feed).answer is Answer.VERSION
    walk_through(runtime, feed)
    assert _whole(runtime, feed)
    assert len(names_of(runtime, feed)) == 4
    assert gone & _files(runtime, tenant)


def test_each_class_has_its_own_policy_and_the_files_themselves_outlive_what_was_made_of_them(
    runtime: RuntimeOnAClock, tenant: TenantId, feed: Feed
) -> None:
    runtime.clock.forward(days=100)
    _policies(runtime, tenant, 30, RetentionClass.STAGE_OUTPUTS)
    pruned = prune(runtime, tenant, actor="test")
    assert pruned.files["raw-units"] == 0
    assert pruned.files["stage-outputs"] > 15
    _policies(runtime, tenant, 30, RetentionClass.RAW_UNITS)
    assert prune(runtime, tenant, actor="test").files == {"stage-outputs": 0, "raw-units": 4}


def test_what_the_knowledge_base_and_a_release_rest_on_stays_while_a_newer_version_waits_and_after_it_came(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/b", halls_answer(4), halls_answer(5), halls_answer(6)))
    poll_now(runtime, feed)
    walk_through(runtime, feed)
    update_conflicts(runtime, tenant, feed.source_id)
    update_coverage(runtime, tenant, feed.source_id)
    released = _source(runtime, feed), every_record(runtime, _source(runtime, feed))
    runtime.clock.forward(seconds=10)
    poll_now(runtime, feed)
    run_stage(runtime, tenant, feed.source_id, Stage.RECEIVE)
    runtime.clock.forward(seconds=10)
    _policies(runtime, tenant, 30)
    before = _files(runtime, tenant)
    runtime.clock.forward(days=100)
    prune(runtime, tenant, actor="test")
    assert _files(runtime, tenant) == before  # no release, and the first version still stands
    runtime.clock.forward(days=-100)
    build_candidate(runtime, tenant, requested_by="test")
    walk_through(runtime, feed)
    poll_now(runtime, feed)
    walk_through(runtime, feed)
    runtime.clock.forward(days=100)
    prune(runtime, tenant, actor="test")
    assert len(names_of(runtime, feed)) == 6
    assert _can_be_read(runtime, *released)
    assert _whole(runtime, feed)


def test_a_version_that_came_back_is_superseded_when_another_takes_its_place_for_the_last_time(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    answers = [halls_answer(count) for count in (4, 5, 4, 6)]
    feed = new_feed(runtime, tenant, server.answer("/back", *answers))
    for _ in range(3):
        assert poll_now(runtime, feed).answer is Answer.VERSION
        walk_through(runtime, feed)
        runtime.clock.forward(seconds=10)
    came_back = _source(runtime, feed), every_record(runtime, _source(runtime, feed))
    runtime.clock.forward(days=400)
    assert poll_now(runtime, feed).answer is Answer.VERSION
    walk_through(runtime, feed)
    _policies(runtime, tenant, 365)
    assert prune(runtime, tenant, actor="test").files["raw-units"] == 2  # the second version's list and its file
    assert _can_be_read(runtime, *came_back)
    runtime.clock.forward(days=366)
    assert prune(runtime, tenant, actor="test").files["raw-units"] == 2
    assert not _can_be_read(runtime, *came_back)
    assert _whole(runtime, feed)


def test_a_held_version_and_an_upload_on_its_way_stay(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    held = new_feed(runtime, tenant, server.answer("/held", halls_answer(10), halls_answer(2)))
    poll_now(runtime, held)
    walk_through(runtime, held)
    assert poll_now(runtime, held).answer is Answer.HELD
    before = _files(runtime, tenant)
    runtime.clock.forward(days=1000)
    _policies(runtime, tenant, 7)
    prune(runtime, tenant, actor="test")
    assert _files(runtime, tenant) == before


def test_a_legal_hold_keeps_a_digest_key_that_is_no_longer_in_use(runtime: RuntimeOnAClock, tenant: TenantId) -> None:
    runtime.keys.digest_key(tenant)
    rotate(runtime, tenant, **GOVERNANCE)
    hold = place_hold(runtime, tenant, **GOVERNANCE)
    with pytest.raises(HeldError):
        destroy(runtime, tenant, 1, **GOVERNANCE)
    assert [key.version for key in list_keys(runtime, tenant)] == [1, 2]
    lift_hold(runtime, tenant, hold, **GOVERNANCE)
    destroy(runtime, tenant, 1, **GOVERNANCE)
    assert [key.version for key in list_keys(runtime, tenant)] == [2]


def test_a_legal_hold_stops_pruning_and_erasure_until_governance_lifts_it_for_a_reason(
    runtime: RuntimeOnAClock, tenant: TenantId, feed: Feed
) -> None:
    grant_role(runtime, tenant, person="anan", role="tenant-admin", granted_by="test")
    runtime.clock.forward(days=100)
    _policies(runtime, tenant, 30)
    for wrong in ({"role": "tenant-admin", "person": "anan"}, {"person": "anan"}):
        with pytest.raises(NotAllowedError):
            place_hold(runtime, tenant, **{**GOVERNANCE, **wrong})
    with pytest.raises(InputError):
        place_hold(runtime, tenant, **{**GOVERNANCE, "reason": " "})
    hold = place_hold(runtime, tenant, **{**GOVERNANCE, "reason": "Case 17"})
    before = _files(runtime, tenant)
    request = request_erasure(runtime, tenant, person="anan", role="tenant-admin", reason="They leave")
    for act in (
        lambda: plan_pruning(runtime, tenant),
        lambda: prune(runtime, tenant, actor="test"),
        lambda: erase_tenant(runtime, tenant, request, person="gov", role="platform-governance"),
    ):
        with pytest.raises(HeldError):
            act()
    assert _files(runtime, tenant) == before
    with pytest.raises(NotFoundError):
        lift_hold(runtime, tenant, uuid.uuid4(), **GOVERNANCE)
    lift_hold(runtime, tenant, hold, **{**GOVERNANCE, "reason": "Case closed"})
    with pytest.raises(NotFoundError):
        lift_hold(runtime, tenant, hold, **GOVERNANCE)
    assert sum(prune(runtime, tenant, actor="test").files.values())
    with runtime.database.tenant(tenant) as connection:
        (kept,) = holds_of(connection, tenant)
    assert (kept.reason, kept.lifted_for) == ("Case 17", "Case closed")
    newest = Jsonb({"run_id": "theirs", "code_version": "later", "finished_at": "2999-01-01"})
    with runtime.database.tenant(tenant) as connection:
        connection.execute(
            """
            INSERT INTO runtime.stage_runs
            SELECT (jsonb_populate_record(record, %s)).* FROM runtime.stage_runs AS record
             WHERE record.tenant_id = %s LIMIT 1
            """,
            (newest, tenant),
        )
    assert "theirs" in needed_runs(runtime)[0]
    done = erase_tenant(runtime, tenant, request, person="gov", role="platform-governance")
    assert done.state() == "erased"
    assert "theirs" not in needed_runs(runtime)[0], "of an erased tenant nothing stands"
    actions = [action for action, _ in _actions(runtime, tenant)]
    assert actions == [*["retention.policy"] * 2, "retention.held", "retention.lifted", *PRUNED]


PRUNED = ("retention.prune", "retention.pruned")


def test_killed_between_two_files_it_is_run_again_and_nothing_goes_that_was_not_audited(
    runtime: RuntimeOnAClock, tenant: TenantId, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.clock.forward(days=100)
    _policies(runtime, tenant, 30)
    planned = plan_pruning(runtime, tenant)
    real, removed = Zone.remove, []

    def dies(zone: Zone, *given: Any) -> bool:
        if len(removed) == 5:
            raise KeyboardInterrupt
        removed.append(real(zone, *given))
        return True

    with monkeypatch.context() as patch:
        patch.setattr(Zone, "remove", dies)
        with pytest.raises(KeyboardInterrupt):
            prune(runtime, tenant, actor="test")
    assert _whole(runtime, feed)
    (announced,) = [details for action, details in _actions(runtime, tenant) if action == "retention.prune"]
    assert announced["files"] == planned.files
    rest = prune(runtime, tenant, actor="test")
    assert sum(rest.files.values()) == sum(planned.files.values()) - 5
    assert _whole(runtime, feed)


def test_what_comes_back_while_it_is_pruned_stays(
    runtime: RuntimeOnAClock, tenant: TenantId, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.clock.forward(days=100)
    _policies(runtime, tenant, 30)
    real = Zone.stored
    came = []

    def meanwhile(zone: Zone) -> Any:
        found = list(real(zone))
        if not came:
            came.append(poll_now(runtime, feed).answer)
        return found

    monkeypatch.setattr(Zone, "stored", meanwhile)
    prune(runtime, tenant, actor="test")
    assert came == [Answer.VERSION]
    walk_through(runtime, feed)
    assert _whole(runtime, feed)


def test_another_tenant_has_its_own_policies_holds_and_files(
    runtime: RuntimeOnAClock, tenant: TenantId, feed: Feed
) -> None:
    other = registered_tenant(runtime)
    grant_role(runtime, other, person="theirs", role="platform-governance", granted_by="test")
    before = _files(runtime, tenant)
    runtime.clock.forward(days=100)
    theirs: dict[str, Any] = {**GOVERNANCE, "person": "theirs"}
    for kept in BOTH:
        set_policy(runtime, other, kept, 7, **theirs)
        with pytest.raises(NotAllowedError):
            set_policy(runtime, tenant, kept, 7, **theirs)
    place_hold(runtime, other, **theirs)
    with runtime.database.tenant(tenant) as connection:
        assert holds_of(connection, other) == []
    assert sum(plan_pruning(runtime, tenant).files.values()) == 0
    with pytest.raises(HeldError):
        prune(runtime, other, actor="test")
    assert _files(runtime, tenant) == before


def test_a_policy_is_no_shorter_than_a_week_and_no_longer_than_a_hundred_years(
    runtime: RuntimeOnAClock, tenant: TenantId
) -> None:
    for days, reason in ((6, "short"), (0, "none"), (30, " "), (36_501, "long"), (10**9, "longer")):
        with pytest.raises(InputError):
            set_policy(runtime, tenant, RetentionClass.RAW_UNITS, days, **{**GOVERNANCE, "reason": reason})


def test_runs_stay_that_say_something_of_what_stands_and_those_of_a_tenant_under_a_hold(
    runtime: RuntimeOnAClock, tenant: TenantId
) -> None:
    @dg.op
    def work() -> None: ...

    @dg.op
    def fail() -> None:
        raise ValueError

    @dg.job(name="some_job")
    def some_job() -> None:
        work()

    @dg.job(name="some_job")
    def failing_job() -> None:
        fail()

    with dg.DagsterInstance.ephemeral() as instance:

        def run(job: dg.JobDefinition, partition: str, whose: str) -> str:
            tags = {"dagster/partition": partition, "tenant": whose}
            return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).run_id

        superseded, failed = run(some_job, "a", "x"), run(failing_job, "a", "x")
        _stands, _held_old = run(some_job, "a", "x"), run(some_job, "b", f"x, {tenant}")
        _stands_too = run(some_job, "b", "x")
        assert old_runs(runtime, instance) == []
        place_hold(runtime, tenant, **GOVERNANCE)
        runtime.clock.forward(days=runtime.settings.keep_runs_days + 1)
        old = old_runs(runtime, instance)
        assert sorted(old) == sorted([superseded, failed])
        for each in old:
            instance.delete_run(each)
        assert old_runs(runtime, instance) == []
        assert instance.get_runs_count() == 3


def test_a_hold_keeps_the_runs_of_its_tenant_that_were_begun_in_the_ui_of_dagster(
    runtime: RuntimeOnAClock, tenant: TenantId
) -> None:
    @dg.op
    def fail() -> None:
        raise ValueError

    @dg.job
    def failing() -> None:
        fail()

    def over(first: str, last: str) -> dict[str, str]:
        return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}

    sources = ["one|src-1", f"{tenant}|src-2", "two|src-3", "two|src-4"]
    of_the_held = [
        {"dagster/partition": sources[1]},
        {"dagster/partition": f"{tenant}|feed-1"},
        {"dagster/partition": tenant},
        over(sources[0], sources[2]),
        over("one|src-gone", sources[2]),  # whatever lay between them
    ]
    of_others: list[dict[str, str]] = [{"dagster/partition": sources[0]}, {"dagster/partition": "one"}, {}]
    of_others.append(over(sources[2], sources[3]))
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, sources)

        def run(tags: dict[str, str]) -> str:
            return failing.execute_in_process(instance=instance, tags=tags, raise_on_error=False).run_id

        kept, others = [run(tags) for tags in of_the_held], [run(tags) for tags in of_others]
        runtime.clock.forward(days=runtime.settings.keep_runs_days + 1)
        # The last stays as long as any tenant is under a hold, as those of other tests can be.
        assert {*kept[:-1], *others} <= set(old_runs(runtime, instance))
        place_hold(runtime, tenant, **GOVERNANCE)
        assert sorted(old_runs(runtime, instance)) == sorted(others)


def test_events_of_no_run_go_when_others_have_followed_and_what_runs_and_ticks_have_written_goes_with_age(
    runtime: RuntimeOnAClock, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in dagster_environment(runtime).items():
        monkeypatch.setenv(name, value)
    held = registered_tenant(runtime)
    grant_role(runtime, held, person="gov", role="platform-governance", granted_by="test")
    place_hold(runtime, held, **GOVERNANCE)
    key = dg.AssetKey("feed_version")
    with dg.DagsterInstance.get() as instance:
        prune_runless_events(runtime, datetime.now(UTC) + timedelta(days=1))  # what other tests have left
        partitions = [f"{tenant}|feed-1", f"{tenant}|feed-2", f"{held}|feed-3"]
        for partition in partitions:
            for _ in range(3):
                instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=partition))
        assert prune_runless_events(runtime, datetime.now(UTC) - timedelta(days=1)) == 0
        assert prune_runless_events(runtime, datetime.now(UTC) + timedelta(days=1)) == 4
        assert prune_runless_events(runtime, datetime.now(UTC) + timedelta(days=1)) == 0
        left = instance.fetch_materializations(key, limit=100).records
        assert len([each for each in left if each.partition_key in partitions]) == 5
        storage = runtime.settings.dagster_home / "storage"
        tick = storage / "__repository__" / "feeds" / "1.err"
        tick.parent.mkdir(parents=True)
        tick.write_text("x")
        assert prune_tick_logs(storage / "__repository__", datetime.now(UTC) - timedelta(days=1)) == 0
        assert prune_tick_logs(storage / "__repository__", datetime.now(UTC) + timedelta(days=1)) == 1
        assert not tick.parent.exists()


def test_a_run_is_deleted_with_what_it_has_written(runtime: RuntimeOnAClock, monkeypatch: pytest.MonkeyPatch) -> None:
    @dg.op
    def work() -> None:
        raise ValueError

    @dg.job
    def failing() -> None:
        work()

    for name, value in dagster_environment(runtime).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        run = failing.execute_in_process(instance=instance, raise_on_error=False)
        written = runtime.settings.dagster_home / "storage" / run.run_id / "compute_logs" / "work.err"
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text("x")
        runtime.clock.forward(days=runtime.settings.keep_runs_days + 1)
        context = dg.build_op_context(instance=instance, resources={"runtime": RuntimeAccess(runtime)})
        prune_runs(context)
        assert instance.get_run_by_id(run.run_id) is None
    assert not written.parent.exists()


def test_a_feed_is_held_since_its_oldest_version_that_was_not_pruned(
    runtime: RuntimeOnAClock, tenant: TenantId, feed: Feed
) -> None:
    first = runtime.clock.now
    runtime.clock.forward(days=40)
    assert poll_now(runtime, feed).answer is Answer.VERSION, "as the first was: that counts anew"
    walk_through(runtime, feed)
    renewed = runtime.clock.now
    since = _held_since(runtime, tenant)
    assert since is not None
    assert first - timedelta(minutes=1) < since < first, "the second"
    thirty = ProcessingRecord("halls", "Know them", LawfulBasis.CONTRACT, None, ("organisers",), 30)

    def kept_in_time() -> bool:
        source = ScreenedSource(feed.source_id, _held_since(runtime, tenant), None)
        return retention([source], [thirty], runtime.clock.now).outcome is Outcome.MET

    assert not kept_in_time()
    _policies(runtime, tenant, 7, RetentionClass.RAW_UNITS)
    runtime.clock.forward(days=8)
    assert prune(runtime, tenant, actor="test").files["raw-units"] > 0
    assert _held_since(runtime, tenant) == renewed
    assert kept_in_time()
    runtime.clock.forward(days=30)
    assert not kept_in_time(), "what is still there was received 38 days ago"
    runtime.keys.destroy(tenant)
    assert _held_since(runtime, tenant) is None
    assert kept_in_time()

"""How a feed is, in Dagster's own tables: each change is an evaluation of its check, in Dagster's own storage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.test_utils import create_run_for_test

from tenant_pipeline.assets.feed_health import FEED_IS_WELL, FEED_VERSION, tell_health
from tenant_pipeline.assets.feed_partitions import FEED, feed_key
from tenant_pipeline.assets.feeds import AS_OF_TAG, FETCH_FEED, feed_version
from tenant_pipeline.core.feed.profile import Expectations
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors import feeds as sensor
from tenant_pipeline.sensors.ended_runs import ended_runs
from tenant_pipeline.services.feeds import health, polling
from tenant_pipeline.services.feeds.feeds import Feed, set_status
from tenant_pipeline.services.feeds.polling import BRIEFLY, Answer
from tenant_pipeline.services.feeds.versions import decide
from tenant_pipeline.services.retention.dagster_history import prune_runless_evaluations
from tenant_pipeline.services.retention.holds import lift_hold, place_hold
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.storage.dagster_database import ensure_dagster_database
from tests.integration.conftest import TwoTenants
from tests.integration.feed_steps import (
    HEADER,
    RuntimeOnAClock,
    feed_now,
    halls_answer,
    new_feed,
    poll_now,
    runtime,
    server,
    tenant,
    walk_through,
)
from tests.unit.intake.link_server import Answer as Served
from tests.unit.intake.link_server import Server

__all__ = ["runtime", "server", "tenant"]  # fixtures

CHECK = dg.AssetCheckKey(FEED_VERSION, FEED_IS_WELL)


@pytest.fixture(scope="module")
def instance(tenants: TwoTenants) -> Iterator[dg.DagsterInstance]:
    """Dagster on its own storage classes, as its Helm chart sets it up."""
    url = ensure_dagster_database(tenants.runtime.database)
    storage = {"postgres": {"postgres_url": url}}
    with dg.instance_for_test(overrides={"storage": storage}) as instance:
        yield instance


def _tell(runtime: RuntimeOnAClock, instance: dg.DagsterInstance, feed: Feed) -> list[bool]:
    """Tell of the feed what was not told, and return what Dagster has of it, the newest first."""
    if (feed.tenant, feed.id) in health.untold_feeds(runtime, 1000):
        tell_health(runtime, instance, feed.tenant, feed.id)
    found = instance.event_log_storage.get_asset_check_execution_history(
        CHECK, limit=100, partition_filter=PartitionKeyFilter(key=feed_key(feed.tenant, feed.id))
    )
    return [each.evaluation.passed for each in found if each.evaluation is not None]


def test_each_change_is_told_once_and_nothing_while_it_stays_the_same(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, instance: dg.DagsterInstance
) -> None:
    answers = [halls_answer(3, etag="1"), Served(status=304), *[Served(status=503)] * 3, Served(status=304)]
    feed = new_feed(runtime, tenant, server.answer("/h", *answers))
    assert _tell(runtime, instance, feed) == [], "nobody knows how one is that was not asked yet"
    poll_now(runtime, feed)
    walk_through(runtime, feed)
    told = [_tell(runtime, instance, feed)]
    for _ in answers[1:]:
        poll_now(runtime, feed)
        told.append(_tell(runtime, instance, feed))
    well, failing = [True], [False, True]
    assert told == [well, well, failing, failing, failing, [True, *failing]]


def test_a_version_that_is_held_fails_the_check_until_a_person_has_decided(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, instance: dg.DagsterInstance
) -> None:
    feed = _held(runtime, tenant, server)
    assert _tell(runtime, instance, feed) == [False]
    decide(runtime, tenant, feed.id, 1, "refuse", person="rin", role="reviewer", reason="It is half empty")
    assert _tell(runtime, instance, feed) == [True, False]


def test_one_that_is_paused_or_ended_ails_of_nothing_that_asking_would_find(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, instance: dg.DagsterInstance
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", Served(status=503)))
    for _ in range(polling.DEAD_AFTER):
        poll_now(runtime, feed)
    assert _tell(runtime, instance, feed) == [False]
    set_status(runtime, tenant, feed.id, "paused", actor="test")
    assert _tell(runtime, instance, feed) == [True, False]


def test_dagster_warns_when_no_feed_brought_anything_for_two_days_and_fails_after_seven() -> None:
    (spec,) = feed_version.specs
    days = {"warn_window": timedelta(days=2), "fail_window": timedelta(days=7)}
    assert spec.freshness_policy == dg.FreshnessPolicy.time_window(**days)


def test_the_check_is_of_the_newest_version(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, instance: dg.DagsterInstance
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", halls_answer(3), halls_answer(4)))
    for _ in range(2):
        poll_now(runtime, feed)
        walk_through(runtime, feed)
        event = dg.AssetMaterialization(FEED_VERSION, partition=feed_key(tenant, feed.id))
        instance.report_runless_asset_event(event)
        _tell(runtime, instance, feed)
        (info,) = instance.event_log_storage.get_asset_check_partition_info(
            [CHECK], partition_keys=[feed_key(tenant, feed.id)]
        )
        assert info.is_current


def test_what_dagster_does_not_take_costs_a_large_feed_no_run(
    runtime: RuntimeOnAClock,
    tenant: TenantId,
    server: Server,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no space left")

    small = new_feed(runtime, tenant, server.answer("/small", halls_answer(3)))
    large = new_feed(runtime, tenant, server.answer("/large", _large()))
    ours = [(tenant, small.id), (tenant, large.id)]
    monkeypatch.setattr(sensor, "due_feeds", lambda *_: ours)
    monkeypatch.setattr(sensor, "untold_feeds", lambda *_: ours)
    with monkeypatch.context() as broken:
        broken.setattr(instance, "report_dagster_event", refuse)
        result = _tick(runtime, instance)
    assert [request.partition_key for request in result.run_requests or []] == [feed_key(tenant, large.id)]
    assert (tenant, small.id) in health.untold_feeds(runtime, 1000), "it is told at the next tick"
    assert _tell(runtime, instance, small) == [True]


def test_a_large_feed_whose_run_waits_in_line_is_not_asked_for_again(
    runtime: RuntimeOnAClock,
    tenant: TenantId,
    server: Server,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/large", _large()))
    key = feed_key(tenant, feed.id)
    due_feeds = sensor.due_feeds
    monkeypatch.setattr(
        sensor, "due_feeds", lambda *_: [each for each in due_feeds(runtime, 1000) if each[0] == tenant]
    )

    def requested() -> list[dg.RunRequest]:
        found = _tick(runtime, instance).run_requests or []
        runtime.clock.forward(minutes=11)
        return list(found)

    (first,) = requested()
    assert first.partition_key == key
    tags = {**first.tags, PARTITION_NAME_TAG: key}
    run = create_run_for_test(instance, job_name=FETCH_FEED, status=dg.DagsterRunStatus.NOT_STARTED, tags=tags)
    create_run_for_test(
        instance, job_name=FETCH_FEED, status=dg.DagsterRunStatus.NOT_STARTED, tags={PARTITION_NAME_TAG: "another|feed"}
    )
    assert [requested() for _ in range(3)] == [[], [], []]
    assert len(server.asked) == 1
    instance.report_run_canceled(run)
    ended_runs.evaluate_tick(dg.build_sensor_context(instance, resources={"runtime": RuntimeAccess(runtime)}))
    assert feed_now(runtime, feed).failures == 0
    runtime.clock.forward(minutes=1)
    (second,) = requested()
    assert (second.partition_key, second.run_key != first.run_key) == (key, True)


def test_a_run_asks_nothing_where_its_feed_was_asked_since_it_was_wanted(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, instance: dg.DagsterInstance
) -> None:
    feed = new_feed(runtime, tenant, server.answer("/h", Served(status=429, headers={"Retry-After": "7200"})))
    wanted = polling.mark_of(feed)
    poll_now(runtime, feed)
    key = feed_key(tenant, feed.id)
    instance.add_dynamic_partitions(FEED, [key])
    done = dg.materialize(
        [feed_version], instance=instance, partition_key=key, resources={"runtime": RuntimeAccess(runtime)},
        tags={AS_OF_TAG: wanted},
    )  # fmt: skip
    (told,) = done.asset_materializations_for_node("feed_version")
    assert told.metadata["answer"].value == Answer.NOT_DUE
    assert len(server.asked) == 1


def test_what_was_told_long_ago_is_forgotten_but_for_the_newest_and_under_a_hold(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, instance: dg.DagsterInstance
) -> None:
    feed = _held(runtime, tenant, server)
    _tell(runtime, instance, feed)
    decide(runtime, tenant, feed.id, 1, "refuse", person="rin", role="reviewer", reason="It is half empty")
    assert _tell(runtime, instance, feed) == [True, False]
    later = datetime.now(UTC) + timedelta(days=1)
    prune_runless_evaluations(runtime, datetime.now(UTC) - timedelta(days=1))
    grant_role(runtime, tenant, person="gov", role="platform-governance", granted_by="test")
    governance = {"person": "gov", "role": "platform-governance", "reason": "The policy of the city"}
    hold = place_hold(runtime, tenant, **governance)
    prune_runless_evaluations(runtime, later)
    assert _tell(runtime, instance, feed) == [True, False]
    lift_hold(runtime, tenant, hold, **governance)
    assert prune_runless_evaluations(runtime, later) == 1
    assert prune_runless_evaluations(runtime, later) == 0
    assert _tell(runtime, instance, feed) == [True]


def test_evaluations_of_a_run_that_was_deleted_go_with_age_and_those_of_one_that_stays_stay(
    runtime: RuntimeOnAClock, tenant: TenantId, instance: dg.DagsterInstance
) -> None:
    """Dagster deletes a run's events, and never what they said of checks."""
    asset = dg.AssetKey(f"checked-{tenant}")

    @dg.asset_check(asset=asset, name="holds")
    def holds() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    job = dg.Definitions(
        asset_checks=[holds], jobs=[dg.define_asset_job("checking", selection=dg.AssetSelection.checks(holds))]
    ).resolve_job_def("checking")
    deleted, stays, newest = (job.execute_in_process(instance=instance).run_id for _ in range(3))
    instance.delete_run(deleted)
    prune_runless_evaluations(runtime, datetime.now(UTC) + timedelta(days=1))
    key = dg.AssetCheckKey(asset, "holds")
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    assert [each.run_id for each in history] == [newest, stays]


def _large() -> Served:
    row = f"PKT-1,{'Hall' * 250},83000\n"
    return Served((HEADER + row * (BRIEFLY.max_bytes // 1000)).encode())


def _held(runtime: RuntimeOnAClock, tenant: TenantId, server: Server) -> Feed:
    feed = new_feed(runtime, tenant, server.answer("/few", halls_answer(2)), expectations=Expectations(least_rows=10))
    poll_now(runtime, feed)
    return feed


def _tick(runtime: RuntimeOnAClock, instance: dg.DagsterInstance) -> dg.SensorResult:
    context = dg.build_sensor_context(instance=instance, resources={"runtime": RuntimeAccess(runtime)})
    found: Any = sensor.feeds(context)
    assert isinstance(found, dg.SensorResult)
    return found

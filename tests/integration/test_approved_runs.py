"""What was approved goes ahead by itself, also after a run that did not come through; what was refused waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.tags import PARTITION_NAME_TAG

from tenant_pipeline.assets.going_live import APPROVALS_TAG, DIGEST_TAG, RELEASES
from tenant_pipeline.assets.materialise import ENDED_BY_TAG
from tenant_pipeline.assets.partitions import TENANT
from tenant_pipeline.definitions import defs
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors.approvals import approval_sensors
from tenant_pipeline.services.approvals.handing_over import withdraw
from tenant_pipeline.services.approvals.queue import list_requests
from tenant_pipeline.services.coverage.overrides import withdraw_override
from tenant_pipeline.services.going_live.releases import publish_approved, request_release, request_rollback
from tenant_pipeline.services.releases import publishing
from tenant_pipeline.services.releases.reading import list_releases, live_release
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conflict_statements import Sources
from tests.integration.conftest import TwoTenants
from tests.integration.releasable import approve_everything, publish_draft, releasable, settle

(SENSOR,) = [each for each in approval_sensors if each.job_name == RELEASES]


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def made(runtime: Runtime) -> Sources:
    """A tenant whose release is approved."""
    sources = releasable(runtime)
    request_release(runtime, sources.tenant, requested_by="kanya")
    approve_everything(runtime, sources.tenant)
    return sources


@pytest.fixture
def instance(made: Sources) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT, [made.tenant])
        yield instance


def asked_for(instance: dg.DagsterInstance, made: Sources, *, later: timedelta = timedelta(0)) -> list[dg.RunRequest]:
    """The runs that a tick of the sensor asks for, for this tenant."""
    runtime = replace(made.runtime, clock=lambda: datetime.now(UTC) + later)
    tick = SENSOR(dg.build_sensor_context(instance, resources={"runtime": RuntimeAccess(runtime)}))
    assert isinstance(tick, dg.SensorResult)
    return [each for each in tick.run_requests or [] if each.partition_key == made.tenant]


def run(instance: dg.DagsterInstance, made: Sources, request: dg.RunRequest) -> dg.DagsterRun:
    """The run that was asked for, to its end."""
    result = defs.resolve_job_def(RELEASES).execute_in_process(
        instance=instance, partition_key=made.tenant, tags=dict(request.tags),
        resources={"runtime": RuntimeAccess(made.runtime)}, run_config=request.run_config, raise_on_error=False,
    )  # fmt: skip
    ended = instance.get_run_by_id(result.run_id)
    assert ended is not None
    return ended


def version_of(made: Sources) -> str | None:
    with made.runtime.database.platform() as connection:
        live = live_release(connection, made.tenant)
    return live.version if live else None


def _loses_its_connection(_: Runtime, connection: Any, *given: Any) -> None:
    connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def _meets_a_bug(*given: Any) -> None:
    raise MemoryError


def test_after_an_outage_another_run_is_asked_for_in_time_and_never_two_at_once(
    instance: dg.DagsterInstance, made: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []
    for wait in (timedelta(seconds=15), timedelta(seconds=30)):
        (request,) = asked_for(instance, made, later=wait)
        assert [each.run_key for each in asked_for(instance, made, later=wait)] == [request.run_key]
        keys.append(request.run_key)
        with monkeypatch.context() as patch:
            patch.setattr(publishing, "_load", _loses_its_connection)
            ended = run(instance, made, request)
        assert (ended.status, ended.tags[ENDED_BY_TAG]) == (dg.DagsterRunStatus.FAILURE, "outage")
        assert asked_for(instance, made) == []
    assert version_of(made) is None
    (request,) = asked_for(instance, made, later=timedelta(seconds=60))
    assert len({*keys, request.run_key}) == 3
    by_hand = instance.create_run_for_job(defs.resolve_job_def(RELEASES), tags={PARTITION_NAME_TAG: made.tenant})
    assert asked_for(instance, made, later=timedelta(seconds=60)) == []
    instance.report_run_failed(by_hand)
    (request,) = asked_for(instance, made, later=timedelta(seconds=60))
    assert run(instance, made, request).is_success
    assert version_of(made) == "1.0.0"
    assert asked_for(instance, made, later=timedelta(days=1)) == []


def test_a_run_that_is_killed_is_followed_by_one_more_and_what_a_person_cancelled_by_none(
    instance: dg.DagsterInstance, made: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "_load", _meets_a_bug)
    for _ in range(2):
        (request,) = asked_for(instance, made)
        assert run(instance, made, request).is_failure
    assert asked_for(instance, made, later=timedelta(days=1)) == []
    _sign_again(made)
    (request,) = asked_for(instance, made)
    cancelled = instance.create_run_for_job(defs.resolve_job_def(RELEASES), tags=dict(request.tags))
    instance.report_run_canceling(cancelled, "by a person")
    instance.report_run_canceled(cancelled)
    assert asked_for(instance, made, later=timedelta(days=1)) == []


def _sign_again(made: Sources) -> None:
    for each in list_requests(made.runtime, made.tenant):
        withdraw(made.runtime, made.tenant, each.request.id, person="kanya", reason="Not yet")
    request_release(made.runtime, made.tenant, requested_by="kanya")
    approve_everything(made.runtime, made.tenant)


def test_what_was_refused_is_not_tried_again_and_bars_no_way_back(instance: dg.DagsterInstance, made: Sources) -> None:
    runtime, tenant = made.runtime, made.tenant
    publish_approved(runtime, tenant, run_by="run")
    for number, hall in ((3, "New Arena"), (4, "Old Arena")):
        made.say(number, ("name", "en", hall), entity=f"can-{number}", compare=False)
        settle(made)
        if number == 3:
            publish_draft(runtime, tenant)
    request_release(runtime, tenant, requested_by="kanya")
    with runtime.database.platform() as connection:
        first = list_releases(connection, tenant)[0]
    request_rollback(runtime, tenant, first.digest, requested_by="kanya", reason="Wrong hall")
    approve_everything(runtime, tenant)
    dimension = next(each.id for each in runtime.contracts.coverage_dimensions if each.overridable)
    withdraw_override(runtime, tenant, dimension, reason="Over", person="gov", role="platform-governance")
    (release,) = asked_for(instance, made)
    assert run(instance, made, release).is_failure
    (way_back,) = asked_for(instance, made)
    assert way_back.tags[DIGEST_TAG] != release.tags[DIGEST_TAG]
    assert run(instance, made, way_back).is_success
    assert version_of(made) == "1.0.0"
    assert asked_for(instance, made, later=timedelta(days=1)) == []


def test_a_run_keyed_by_an_earlier_version_is_followed_too(instance: dg.DagsterInstance, made: Sources) -> None:
    (request,) = asked_for(instance, made)
    tags = {name: request.tags[name] for name in (DIGEST_TAG, APPROVALS_TAG)}
    earlier = instance.create_run_for_job(defs.resolve_job_def(RELEASES), tags=tags)
    instance.report_run_failed(earlier)
    (another,) = asked_for(instance, made, later=timedelta(seconds=15))
    assert another.run_key != request.run_key

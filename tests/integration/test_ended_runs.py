"""What a run had in hand that was ended is given back by the sensor that looks for such runs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import psycopg2.errors
import pytest
import sqlalchemy.exc
from dagster._core.storage.tags import MAX_RUNTIME_SECONDS_TAG

from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.core.errors import StageFaultError
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors import ended_runs as sensor
from tenant_pipeline.sensors.ended_runs import ended_runs, unjudged
from tenant_pipeline.sensors.silent_runs import silent_runs
from tenant_pipeline.sensors.uploads import NORMALISE_SOURCES, stretches, uploads
from tenant_pipeline.services.code_version import CONFLICT_MATRIX, COVERAGE_SCORE
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_queue import set_progress
from tenant_pipeline.services.sources import Source, get_source
from tests.integration.conftest import TwoTenants
from tests.integration.feed_steps import registered_tenant
from tests.integration.line_steps import new_sources


@dg.op
def end() -> None:
    """Ends the run before it is through."""
    raise MemoryError


@dg.job(name=NORMALISE_SOURCES)
def ended_job() -> None:
    """A run that does not come through."""
    end()


@dg.op
def write() -> None:
    """Meets a full disk, as Dagster does when it stores an event."""
    raise sqlalchemy.exc.OperationalError("INSERT", {}, psycopg2.errors.DiskFull())


@dg.job(name=NORMALISE_SOURCES)
def unwritten_job() -> None:
    """A run that cannot say how it goes."""
    write()


def _tick(runtime: Runtime, instance: dg.DagsterInstance, cursor: str | None = None) -> str | None:
    """The sensor's tick, and where it has come to."""
    resources = {"runtime": RuntimeAccess(runtime)}
    return ended_runs.evaluate_tick(dg.build_sensor_context(instance, cursor=cursor, resources=resources)).cursor


def _found(runtime: Runtime, tenant: TenantId, *sources: SourceId) -> list[Source]:
    with runtime.database.tenant(tenant) as connection:
        return [get_source(connection, tenant, each) for each in sources]


def _range(keys: list[str]) -> dict[str, str]:
    return {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}


def test_what_a_run_had_in_hand_that_was_ended_is_run_source_by_source_and_the_one_that_does_it_is_stopped(
    tenants: TwoTenants,
) -> None:
    runtime = tenants.runtime
    tenant, other = registered_tenant(runtime), registered_tenant(runtime)
    begun, guilty = new_sources(runtime, tenant, 2, "running")
    (done,), (waiting,) = new_sources(runtime, tenant, 1, "assembled"), new_sources(runtime, other, 1, "waiting")
    keys = [*(partition_key(tenant, each) for each in (begun, guilty, done)), partition_key(other, waiting)]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        result = ended_job.execute_in_process(instance=instance, tags=_range(keys), raise_on_error=False)
        assert not result.success
        cursor = _tick(runtime, instance)
        found = [*_found(runtime, tenant, begun, guilty, done), *_found(runtime, other, waiting)]
        assert [each.ingest_status for each in found] == ["waiting", "waiting", "assembled", "waiting"]
        assert [each.alone for each in found] == [True, True, False, True]
        line = [found[0], found[1], found[3]]
        positions = {key: position for position, key in enumerate(keys)}
        assert [len(stretch) for stretch in stretches(line, positions)] == [1, 1, 1]
        for expected in ("waiting", "stopped"):
            with runtime.database.tenant(tenant) as connection:
                set_progress(connection, tenant, guilty, "extract", "running")
            again = ended_job.execute_in_process(instance=instance, tags=_range([keys[1]]), raise_on_error=False)
            cursor = _tick(runtime, instance, cursor)
            (stands,) = _found(runtime, tenant, guilty)
            assert stands.ingest_status == expected
    assert stands.hindrance is not None
    assert (stands.hindrance["code"], stands.hindrance["stage"]) == ("process-lost", "extract")
    assert (stands.hindrance["run"], "memory" in stands.hindrance["remedy"]) == (again.run_id, True)
    assert [each.ingest_status for each in _found(runtime, tenant, begun)] == ["waiting"]


def test_a_run_that_never_began_is_held_against_none_of_its_sources(tenants: TwoTenants) -> None:
    runtime = tenants.runtime
    tenant = registered_tenant(runtime)
    sources = new_sources(runtime, tenant, 2)
    keys = [partition_key(tenant, each) for each in sources]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        run = instance.create_run_for_job(ended_job, tags=_range(keys))
        instance.report_run_failed(run, "the code server is away")
        _tick(runtime, instance)
    for each in _found(runtime, tenant, *sources):
        assert (each.ingest_status, each.alone) == ("waiting", False)
        assert each.not_before is not None
        assert each.hindrance is not None
        assert each.hindrance["code"] == "run-not-started"


def test_a_run_that_ended_because_dagster_could_not_write_is_held_against_none_of_its_sources(
    tenants: TwoTenants,
) -> None:
    runtime = tenants.runtime
    tenant = registered_tenant(runtime)
    (source,) = new_sources(runtime, tenant, 1, "running")
    key = partition_key(tenant, source)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, [key])
        unwritten_job.execute_in_process(instance=instance, tags=_range([key]), raise_on_error=False)
        _tick(runtime, instance)
    (found,) = _found(runtime, tenant, source)
    assert (found.ingest_status, found.alone) == ("waiting", False)
    assert found.hindrance is not None
    assert found.hindrance["code"] == "database-unavailable"


def test_a_run_that_a_person_cancelled_stops_its_sources_and_one_whose_time_was_up_does_not(
    tenants: TwoTenants,
) -> None:
    runtime = tenants.runtime
    tenant = registered_tenant(runtime)
    sources = new_sources(runtime, tenant, 2, "running")
    keys = [partition_key(tenant, each) for each in sources]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        for key, message in zip(keys, ("by a person", "Canceling due to exceeding maximum runtime"), strict=True):
            run = instance.create_run_for_job(ended_job, tags=_range([key]))
            instance.report_run_canceling(run, message)
            instance.report_run_canceled(run)
        _tick(runtime, instance)
    cancelled, over_time = _found(runtime, tenant, *sources)
    assert (cancelled.ingest_status, over_time.ingest_status) == ("stopped", "running")
    assert cancelled.hindrance is not None
    assert cancelled.hindrance["code"] == "run-cancelled"


def test_what_another_run_has_in_hand_by_now_is_left_to_it(tenants: TwoTenants) -> None:
    runtime = tenants.runtime
    tenant = registered_tenant(runtime)
    (source,) = new_sources(runtime, tenant, 1, "running")
    key = partition_key(tenant, source)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, [key])
        ended_job.execute_in_process(instance=instance, tags=_range([key]), raise_on_error=False)
        instance.create_run_for_job(ended_job, tags=_range([key]))
        _tick(runtime, instance)
    assert [(each.ingest_status, each.hindrance) for each in _found(runtime, tenant, source)] == [("running", None)]


def test_what_is_on_its_way_in_no_run_is_put_in_line_once_it_has_been_quiet(tenants: TwoTenants) -> None:
    """Its run was deleted, or a person materialised a part of the stages: who does the next one is not overtaken."""
    runtime = tenants.runtime
    tenant, other = registered_tenant(runtime), registered_tenant(runtime)
    adrift, lately, in_hand = new_sources(runtime, tenant, 3, "running")
    (of_other,) = new_sources(runtime, other, 1, "running")
    with runtime.database.platform() as connection:
        connection.execute(
            "UPDATE runtime.tenant_sources SET queued_at = queued_at - interval '16 minutes' WHERE id = ANY(%s)",
            ([adrift, in_hand, of_other],),
        )
    keys = [*(partition_key(tenant, each) for each in (adrift, lately, in_hand)), partition_key(other, of_other)]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        instance.create_run_for_job(ended_job, tags={"dagster/partition": keys[2]})
        deleted = ended_job.execute_in_process(instance=instance, tags=_range(keys), raise_on_error=False)
        instance.delete_run(deleted.run_id)
        _tick(runtime, instance)
    found = [*_found(runtime, tenant, adrift, lately, in_hand), *_found(runtime, other, of_other)]
    assert [each.ingest_status for each in found] == ["waiting", "running", "running", "waiting"]
    assert [each.alone for each in found] == [False] * 4
    assert found[0].hindrance is not None
    assert found[0].hindrance["code"] == "run-gone"


def _kept(runtime: Runtime, tenant: TenantId, source: SourceId, stage: str, digest: str, *, minutes_ago: int) -> None:
    """A record of a stage that was kept so long ago: of `assemble` what it made, of a judgement what was judged."""
    with runtime.database.tenant(tenant) as connection:
        connection.execute(
            """
            INSERT INTO runtime.stage_runs
                   (tenant_id, source_id, stage, input_digest, code_version, output_digest, counts, rows_in, rows_out,
                    rows_rejected, rows_quarantined, reject_codes, seconds, finished_at)
            VALUES (%s, %s, %s, %s, %s, %s, '[]', 0, 0, 0, 0, '{}', 0, now() - make_interval(mins => %s))
            """,
            (tenant, source, stage, digest, str(minutes_ago), digest, minutes_ago),
        )


def test_what_was_assembled_and_not_judged_as_it_stands_is_put_in_line_and_what_was_judged_stays(
    tenants: TwoTenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person materialised a part of the stages, or its run was deleted before it was through."""
    runtime = tenants.runtime
    tenant = registered_tenant(runtime)
    never, not_scored, moved, judged, again, lately, in_hand = sources = new_sources(runtime, tenant, 7, "assembled")
    one, other = "1" * 64, "2" * 64
    for each in (not_scored, moved, judged, again):
        _kept(runtime, tenant, each, "assemble", one, minutes_ago=60)
        _kept(runtime, tenant, each, CONFLICT_MATRIX, one, minutes_ago=59)
    for each in (moved, judged, again):
        _kept(runtime, tenant, each, COVERAGE_SCORE, one, minutes_ago=58)
    for each in (never, in_hand, again):
        _kept(runtime, tenant, each, "assemble", one, minutes_ago=20)
    _kept(runtime, tenant, lately, "assemble", other, minutes_ago=10)
    with runtime.database.tenant(tenant) as connection:
        connection.execute("UPDATE runtime.tenant_sources SET queued_at = queued_at - interval '2 hours'")
        connection.execute("UPDATE runtime.tenant_sources SET identity_version = 1 WHERE id = %s", (moved,))
    # What other tests left assembled is theirs.
    real = sensor.unjudged_sources
    monkeypatch.setattr(sensor, "unjudged_sources", lambda *given: [each for each in real(*given) if each[0] == tenant])
    keys = [partition_key(tenant, each) for each in sources]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        instance.create_run_for_job(ended_job, tags={"dagster/partition": keys[-1]})
        unjudged.evaluate_tick(dg.build_sensor_context(instance, resources={"runtime": RuntimeAccess(runtime)}))
    stand = _found(runtime, tenant, *sources)
    assert [each.ingest_status for each in stand] == [*["waiting"] * 3, *["assembled"] * 4]
    assert [each.hindrance["code"] for each in stand if each.hindrance] == ["run-gone"] * 3


def _started(instance: dg.DagsterInstance, tags: Mapping[str, str]) -> str:
    """A run that has begun, and says nothing since."""
    run = instance.create_run_for_job(ended_job, tags=tags)
    instance.report_dagster_event(dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name), run.run_id)
    return run.run_id


def test_a_run_in_the_place_of_one_that_was_silent_may_take_as_long_as_any_other(tenants: TwoTenants) -> None:
    """Dagster hands a run's tags on to the run that is run in its place."""
    runtime = tenants.runtime
    hasty = replace(runtime, settings=runtime.settings.model_copy(update={"silent_run_seconds": 0}))
    with dg.DagsterInstance.ephemeral() as instance:

        def tags_after_a_tick(opened: Runtime, run_id: str) -> Mapping[str, str]:
            resources = {"runtime": RuntimeAccess(opened)}
            silent_runs.evaluate_tick(dg.build_sensor_context(instance, resources=resources))
            run = instance.get_run_by_id(run_id)
            assert run is not None
            return run.tags

        silent = tags_after_a_tick(hasty, _started(instance, {}))
        assert silent[MAX_RUNTIME_SECONDS_TAG]
        again = _started(instance, silent)
        assert not tags_after_a_tick(runtime, again)[MAX_RUNTIME_SECONDS_TAG]
        assert tags_after_a_tick(hasty, again)[MAX_RUNTIME_SECONDS_TAG], "it may be silent itself"


def test_a_run_that_cannot_be_put_right_holds_up_no_other_and_is_tried_again(
    tenants: TwoTenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tenants.runtime
    tenant = registered_tenant(runtime)
    sources = new_sources(runtime, tenant, 2, "running")
    keys = [partition_key(tenant, each) for each in sources]
    real = sensor.put_back

    def broken(opened: Runtime, whose: TenantId, source: SourceId, *given: Any, **named: Any) -> str | None:
        if source == sources[0]:
            raise KeyError("nobody foresaw it")
        return real(opened, whose, source, *given, **named)

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        for key in keys:
            ended_job.execute_in_process(instance=instance, tags=_range([key]), raise_on_error=False)
        with monkeypatch.context() as patch:
            patch.setattr(sensor, "put_back", broken)
            with pytest.raises(StageFaultError):
                _tick(runtime, instance)
        assert [each.ingest_status for each in _found(runtime, tenant, *sources)] == ["running", "waiting"]
        _tick(runtime, instance)
    found = _found(runtime, tenant, *sources)
    assert [(each.ingest_status, each.alone) for each in found] == [("waiting", True)] * 2


def test_a_run_over_what_is_gone_by_now_holds_up_nothing(tenants: TwoTenants) -> None:
    runtime = tenants.runtime
    tenant = registered_tenant(runtime)
    (source,) = new_sources(runtime, tenant, 1, "running")
    keys = [partition_key(TenantId("nobody"), source), partition_key(tenant, source)]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        ended_job.execute_in_process(instance=instance, tags=_range(keys), raise_on_error=False)
        _tick(runtime, instance)
    assert [each.ingest_status for each in _found(runtime, tenant, source)] == ["waiting"]


def test_what_was_asked_for_and_whose_run_was_deleted_is_asked_for_again(
    tenants: TwoTenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tenants.runtime
    tenant = registered_tenant(runtime)
    (source,) = new_sources(runtime, tenant, 1)
    key = partition_key(tenant, source)
    monkeypatch.setattr(
        "tenant_pipeline.sensors.uploads.waiting_sources", lambda *_, **__: _found(runtime, tenant, source)
    )

    def asked_for(
        instance: dg.DagsterInstance, opened: Runtime, cursor: str | None
    ) -> tuple[list[str | None], str | None]:
        """The keys of the runs that the next tick asks for."""
        context = dg.build_sensor_context(instance, cursor=cursor, resources={"runtime": RuntimeAccess(opened)})
        asked = uploads.evaluate_tick(context)
        return [each.run_key for each in asked.run_requests or []], asked.cursor

    later = replace(runtime, clock=lambda: datetime.now(UTC) + timedelta(minutes=20))
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, [key])
        first, cursor = asked_for(instance, runtime, None)
        run = instance.create_run_for_job(ended_job, tags=_range([key]))
        soon, cursor = asked_for(instance, runtime, cursor)
        queued, cursor = asked_for(instance, later, cursor)
        instance.delete_run(run.run_id)
        gone, cursor = asked_for(instance, later, cursor)
    assert (len(first), soon, queued, len(gone)) == (1, [], [], 1)
    assert first != gone, "Dagster runs nothing twice under one key"

"""What a run had in hand that was ended is given back by the sensor that Dagster tells of it."""

import dagster as dg

from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors.ended_runs import ended_runs
from tenant_pipeline.sensors.uploads import NORMALISE_SOURCES, stretches
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source, get_source, set_progress
from tests.integration.conftest import TwoTenants
from tests.integration.test_feeds import _registered
from tests.integration.test_line import _sources


@dg.op
def end() -> None:
    """Ends the run before it is through."""
    raise MemoryError


@dg.job(name=NORMALISE_SOURCES)
def ended_job() -> None:
    """A run that does not come through."""
    end()


def _told(runtime: Runtime, instance: dg.DagsterInstance, run: dg.DagsterRun, event: dg.DagsterEvent) -> None:
    """The sensor's tick over a run that has failed."""
    ended_runs(
        dg.build_run_status_sensor_context(
            sensor_name="ended_runs",
            dagster_event=event,
            dagster_instance=instance,
            dagster_run=run,
            resources={"runtime": RuntimeAccess(runtime)},
        ).for_run_failure()
    )


def _found(runtime: Runtime, tenant: TenantId, *sources: SourceId) -> list[Source]:
    with runtime.database.tenant(tenant) as connection:
        return [get_source(connection, tenant, each) for each in sources]


def _range(keys: list[str]) -> dict[str, str]:
    return {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}


def test_what_a_run_had_in_hand_that_was_ended_is_run_source_by_source_and_the_one_that_does_it_is_stopped(
    tenants: TwoTenants,
) -> None:
    runtime = tenants.runtime
    tenant, other = _registered(runtime), _registered(runtime)
    begun, guilty = _sources(runtime, tenant, 2, "running")
    (done,), (waiting,) = _sources(runtime, tenant, 1, "assembled"), _sources(runtime, other, 1, "waiting")
    keys = [*(partition_key(tenant, each) for each in (begun, guilty, done)), partition_key(other, waiting)]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        result = ended_job.execute_in_process(instance=instance, tags=_range(keys), raise_on_error=False)
        _told(runtime, instance, result.dagster_run, result.get_run_failure_event())
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
            _told(runtime, instance, again.dagster_run, again.get_run_failure_event())
            (stands,) = _found(runtime, tenant, guilty)
            assert stands.ingest_status == expected
    assert stands.hindrance is not None
    assert (stands.hindrance["code"], stands.hindrance["stage"]) == ("process-lost", "extract")
    assert (stands.hindrance["run"], "memory" in stands.hindrance["remedy"]) == (again.run_id, True)
    assert [each.ingest_status for each in _found(runtime, tenant, begun)] == ["waiting"]


def test_a_run_that_never_began_is_held_against_none_of_its_sources(tenants: TwoTenants) -> None:
    runtime = tenants.runtime
    tenant = _registered(runtime)
    sources = _sources(runtime, tenant, 2)
    keys = [partition_key(tenant, each) for each in sources]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        run = instance.create_run_for_job(ended_job, tags=_range(keys))
        event = instance.report_run_failed(run, "the code server is away")
        failed = instance.get_run_by_id(run.run_id)
        assert failed is not None
        _told(runtime, instance, failed, event)
    for each in _found(runtime, tenant, *sources):
        assert (each.ingest_status, each.alone) == ("waiting", False)
        assert each.not_before is not None
        assert each.hindrance is not None
        assert each.hindrance["code"] == "run-not-started"

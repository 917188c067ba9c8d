"""What a run had in hand that was ended is given back by the sensor that Dagster tells of it."""

import dagster as dg

from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.core.tenancy import partition_key
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors.ended_runs import ended_runs
from tenant_pipeline.sensors.uploads import NORMALISE_SOURCES
from tenant_pipeline.services.sources import get_source
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


def test_the_sources_of_a_failed_run_that_were_on_their_way_come_into_line_again(tenants: TwoTenants) -> None:
    runtime = tenants.runtime
    tenant = _registered(runtime)
    (begun,), (done,) = _sources(runtime, tenant, 1, "running"), _sources(runtime, tenant, 1, "assembled")
    keys = [partition_key(tenant, begun), partition_key(tenant, done)]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[1]}
        result = ended_job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            sensor_name="ended_runs",
            dagster_event=result.get_run_failure_event(),
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            resources={"runtime": RuntimeAccess(runtime)},
        ).for_run_failure()
        ended_runs(context)
    with runtime.database.tenant(tenant) as connection:
        status = [get_source(connection, tenant, each).ingest_status for each in (begun, done)]
    assert status == ["waiting", "assembled"]

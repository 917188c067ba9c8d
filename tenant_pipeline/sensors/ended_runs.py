"""A run that was ended from outside (it took too long, its process was killed) leaves nothing in hand.

Dagster finds it and ends it (run monitoring), and runs it again where its process was killed (run retries). What it
leaves is a claim on a feed, which is given back, and sources that are on their way: once Dagster has given up they are
put in line again, and stopped for a person to see when that happens again and again.
After a run that a person cancelled they are stopped at once.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    WILL_RETRY_TAG,
)

from tenant_pipeline.assets.feeds import FETCH_FEED, tenant_and_feed
from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.core.tenancy import from_partition_key
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.sensors.uploads import NORMALISE_SOURCES
from tenant_pipeline.services.feeds.polling import release_claim
from tenant_pipeline.services.sources import take_up_again


@dg.run_failure_sensor(minimum_interval_seconds=10, default_status=dg.DefaultSensorStatus.RUNNING)
def ended_runs(context: dg.RunFailureSensorContext, runtime: RuntimeResource) -> None:
    """Gives back what a run had in hand that has failed."""
    _give_back(context, runtime, again=True)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.CANCELED,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def cancelled_runs(context: dg.RunStatusSensorContext, runtime: RuntimeResource) -> None:
    """Gives back what a run had in hand that was cancelled."""
    _give_back(context, runtime, again=False)


def _give_back(context: dg.RunStatusSensorContext, runtime: RuntimeResource, *, again: bool) -> None:
    opened = runtime.open()
    record = context.instance.get_run_record_by_id(context.dagster_run.run_id)
    if record is None:
        return
    run = record.dagster_run
    if run.job_name == FETCH_FEED:
        since = datetime.fromtimestamp(record.start_time or record.create_timestamp.timestamp(), UTC)
        release_claim(opened, *tenant_and_feed(run.tags[PARTITION_NAME_TAG]), since)
    elif run.job_name == NORMALISE_SOURCES and run.tags.get(WILL_RETRY_TAG) != "true":
        for key in partitions_of(run.tags, context.instance.get_dynamic_partitions(TENANT_SOURCE)):
            status = take_up_again(
                opened, *from_partition_key(key), run_id=run.run_id, asked_at=record.create_timestamp, again=again
            )
            if status is not None:
                context.log.warning(f"{key}: its run was ended before it was through, and it is {status}")


def partitions_of(tags: Mapping[str, str], known: Sequence[str]) -> Sequence[str]:
    """The partitions that a run over one, or over a range of them, takes on."""
    if PARTITION_NAME_TAG in tags:
        return [tags[PARTITION_NAME_TAG]]
    first, last = tags.get(ASSET_PARTITION_RANGE_START_TAG), tags.get(ASSET_PARTITION_RANGE_END_TAG)
    if first not in known or last not in known:
        return []
    return known[known.index(first) : known.index(last) + 1]

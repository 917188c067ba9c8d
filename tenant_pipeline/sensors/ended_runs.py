"""A run that was ended from outside (it took too long, its process was killed) leaves nothing in hand.

Dagster finds it and ends it (run monitoring). What it leaves is a claim on a feed, which is given back, and sources
that are on their way. Nobody knows which of them it was that ended the run, so each is put in line to be run by itself:
the one that does it again is stopped for a person to see, and the others go on. A run that never began has touched
none of them. After a run that a person cancelled they are stopped at once.
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
from tenant_pipeline.core.errors import RunCancelledError, RunNotStartedError, TenantRuntimeError
from tenant_pipeline.core.setback import Ending
from tenant_pipeline.core.tenancy import from_partition_key
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.sensors.uploads import NORMALISE_SOURCES
from tenant_pipeline.services.feeds.polling import release_claim
from tenant_pipeline.services.halts import lost, put_back


@dg.run_failure_sensor(minimum_interval_seconds=10, default_status=dg.DefaultSensorStatus.RUNNING)
def ended_runs(context: dg.RunFailureSensorContext, runtime: RuntimeResource) -> None:
    """Gives back what a run had in hand that has failed."""
    _give_back(context, runtime, Ending.LOST)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.CANCELED,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def cancelled_runs(context: dg.RunStatusSensorContext, runtime: RuntimeResource) -> None:
    """Gives back what a run had in hand that was cancelled."""
    if not _time_was_up(context):
        _give_back(context, runtime, Ending.CANCELLED)


def _time_was_up(context: dg.RunStatusSensorContext) -> bool:
    """Whether Dagster's run monitoring ended the run: it has such a run cancelled, and then calls it failed."""
    events = context.instance.all_logs(context.dagster_run.run_id, of_type=dg.DagsterEventType.RUN_CANCELING)
    return any("exceeding maximum runtime" in (event.message or "") for event in events)


def _give_back(context: dg.RunStatusSensorContext, runtime: RuntimeResource, ending: Ending) -> None:
    opened = runtime.open()
    record = context.instance.get_run_record_by_id(context.dagster_run.run_id)
    if record is None:
        return
    run = record.dagster_run
    if run.job_name == FETCH_FEED:
        since = datetime.fromtimestamp(record.start_time or record.create_timestamp.timestamp(), UTC)
        release_claim(opened, *tenant_and_feed(run.tags[PARTITION_NAME_TAG]), since)
    elif run.job_name == NORMALISE_SOURCES and run.tags.get(WILL_RETRY_TAG) != "true":
        keys = partitions_of(run.tags, context.instance.get_dynamic_partitions(TENANT_SOURCE))
        if ending is Ending.LOST and record.start_time is None:
            ending = Ending.OUTAGE
        for key in keys:
            status = put_back(
                opened, *from_partition_key(key), ending, _why(ending, key, run.run_id, alone=len(keys) == 1),
                run_id=run.run_id, asked_at=record.create_timestamp,
            )  # fmt: skip
            if status is not None:
                context.log.warning(f"{key}: its run was ended before it was through ({ending}), and it is {status}")


def _why(ending: Ending, key: str, run_id: str, *, alone: bool) -> TenantRuntimeError:
    where = f"{key}, Dagster run {run_id}"
    if ending is Ending.CANCELLED:
        return RunCancelledError("Its run was cancelled", where=where, remedy="Materialise the partition to go on.")
    if ending is Ending.OUTAGE:
        return RunNotStartedError(
            "Its run ended before it had begun",
            where=where,
            remedy="The run's log says why: most likely Dagster's code server is away. It is tried again by itself.",
        )
    return lost(key, run_id, alone=alone)


def partitions_of(tags: Mapping[str, str], known: Sequence[str]) -> Sequence[str]:
    """The partitions that a run over one, or over a range of them, takes on."""
    if PARTITION_NAME_TAG in tags:
        return [tags[PARTITION_NAME_TAG]]
    first, last = tags.get(ASSET_PARTITION_RANGE_START_TAG), tags.get(ASSET_PARTITION_RANGE_END_TAG)
    if first not in known or last not in known:
        return []
    return known[known.index(first) : known.index(last) + 1]

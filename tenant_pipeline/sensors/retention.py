"""Once a night: superseded files are pruned by their tenants' policies, and the history of old runs by the setting.

Runs are deleted through Dagster's own API, with their events and what they have written. A run stays that made what
stands now, that is the last to have succeeded over its partition, that has not ended, or whose tenant is under a legal
hold.
"""

from datetime import timedelta

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.sensors.tenants_of_runs import TenantsOfRuns
from tenant_pipeline.services.retention.dagster_history import (
    prune_runless_evaluations,
    prune_runless_events,
    prune_tick_logs,
)
from tenant_pipeline.services.retention.policies import tenants_with_policies
from tenant_pipeline.services.retention.pruning import prune
from tenant_pipeline.services.retention.runs import needed_runs
from tenant_pipeline.services.runtime import Runtime

ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
RUNS_AT_ONCE = 200
TICKS = "__repository__"
"""The folder of what ticks write, beside the folders of runs: by the name that Dagster gives to all of a location."""


@dg.op
def prune_files(context: dg.OpExecutionContext, runtime: RuntimeResource) -> None:
    """What nothing needs any more, tenant by tenant. One that is under a legal hold is told and left alone."""
    opened = runtime.open()
    for tenant in tenants_with_policies(opened):
        try:
            pruned = prune(opened, tenant, actor="retention")
        except TenantRuntimeError as error:
            context.log.warning(f"{tenant}: {error}")
        else:
            context.log.info(f"{tenant}: {pruned.files} files, {pruned.bytes} bytes")


@dg.op
def prune_runs(context: dg.OpExecutionContext, runtime: RuntimeResource) -> None:
    """Runs that ended long ago and say nothing of what stands now, with their events and what they have written."""
    opened = runtime.open()
    old = old_runs(opened, context.instance)
    for run in old:
        context.instance.compute_log_manager.delete_logs(prefix=[run])
        context.instance.delete_run(run)
    context.log.info(f"{len(old)} runs that ended more than {opened.settings.keep_runs_days} days ago were deleted")


@dg.op
def prune_runless(context: dg.OpExecutionContext, runtime: RuntimeResource) -> None:
    """Evaluations and events that belong to no run, and what ticks have written, where they are as old."""
    opened = runtime.open()
    before = opened.now() - timedelta(days=opened.settings.keep_runs_days)
    evaluations = prune_runless_evaluations(opened, before)
    events = prune_runless_events(opened, before)
    ticks = prune_tick_logs(opened.settings.dagster_home / "storage" / TICKS, before)
    context.log.info(f"{evaluations} evaluations and {events} events of no run and {ticks} logs of ticks were deleted")


def old_runs(runtime: Runtime, instance: dg.DagsterInstance) -> list[str]:
    """The ids of runs that may be deleted."""
    needed, held = needed_runs(runtime)
    before = runtime.now() - timedelta(days=runtime.settings.keep_runs_days)
    tenants = TenantsOfRuns(instance)
    latest: set[tuple[str, str]] = set()
    found: list[str] = []
    cursor = None
    while True:
        records = instance.get_run_records(dg.RunsFilter(statuses=ENDED), limit=RUNS_AT_ONCE, cursor=cursor)
        for record in records:  # the newest first
            run = record.dagster_run
            place = (run.job_name, run.tags.get(PARTITION_NAME_TAG, ""))
            first = run.status is dg.DagsterRunStatus.SUCCESS and place not in latest
            if first:
                latest.add(place)
            if first or record.create_timestamp >= before or run.run_id in needed:
                continue
            whose = tenants.of_run(run.tags)
            if not held or (whose is not None and not held & whose):
                found.append(run.run_id)
        if len(records) < RUNS_AT_ONCE:
            return found
        cursor = records[-1].dagster_run.run_id


@dg.job(description="Prune superseded files by policy, and the history of old runs.")
def retention() -> None:
    """Every kind of pruning."""
    prune_files()
    prune_runs()
    prune_runless()


retention_schedule = dg.ScheduleDefinition(
    job=retention,
    cron_schedule="30 2 * * *",
    execution_timezone="Asia/Bangkok",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

"""A run that makes no progress is ended, however large its work is: what is large keeps records and tells events.

Progress is an event of the run, or a record that one of its stages kept. Dagster's own run monitoring does the ending,
as if the run's time was up: it knows how to on every machine that a run may be on. It is told by a tag, which Dagster
hands on to the run that is run in the place of this one. There it is taken back.
"""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.dagster_run import RunRecord
from dagster._core.storage.tags import MAX_RUNTIME_SECONDS_TAG

from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.stage_records import last_record_of_run

SILENT_RUN_TAG = "tenant_runtime/silent_run"
"""On a run whose longest time was set or taken back here: its own id. Another's came with another's longest time."""


@dg.sensor(minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def silent_runs(context: dg.SensorEvaluationContext, runtime: RuntimeResource) -> dg.SkipReason:
    """Has runs ended that have made no progress for as long as the setting allows."""
    opened = runtime.open()
    now, ended = datetime.now(UTC), 0
    running = context.instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    for record in running:
        run = record.dagster_run
        if run.tags.get(SILENT_RUN_TAG, run.run_id) != run.run_id:
            context.instance.add_run_tags(run.run_id, {MAX_RUNTIME_SECONDS_TAG: "", SILENT_RUN_TAG: run.run_id})
        silent = (now - _last_sign(opened, context.instance, record)).total_seconds()
        if record.start_time is None or silent <= opened.settings.silent_run_seconds:
            continue
        so_far = max(1, int(now.timestamp() - record.start_time))
        context.instance.add_run_tags(run.run_id, {MAX_RUNTIME_SECONDS_TAG: str(so_far), SILENT_RUN_TAG: run.run_id})
        message = (
            f"The run has made no progress for {silent:.0f} seconds (TENANT_RUNTIME_SILENT_RUN_SECONDS): it is ended"
        )
        context.instance.report_engine_event(message, run)
        context.log.error(f"{run.job_name} {run.run_id}: no progress for {silent:.0f} seconds; it is ended")
        ended += 1
    return dg.SkipReason(f"{len(running)} runs, {ended} of them without progress.")


def _last_sign(runtime: Runtime, instance: dg.DagsterInstance, record: RunRecord) -> datetime:
    """When the run last made progress."""
    run_id = record.dagster_run.run_id
    events = instance.event_log_storage.get_logs_for_run(run_id, limit=1, ascending=False)
    told = max([record.start_time or 0.0, *(event.timestamp for event in events)])
    kept = last_record_of_run(runtime, run_id)
    at = datetime.fromtimestamp(told, UTC)
    return at if kept is None else max(at, kept)

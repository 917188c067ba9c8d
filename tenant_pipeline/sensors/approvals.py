"""What was approved becomes a run: one for each approved digest, and each tick says what the others still wait for.

A run is keyed by its approvals, and Dagster runs a key once, so a tick that is repeated, or a daemon that is restarted,
asks for nothing twice. The asset uses the approvals up in the transaction that does the work, and looks again itself.

A run that did not come through has used none, and what was approved still is. Where something around us was away, the
next one is asked for by itself, at growing intervals, for as long as the approvals last; where a process was killed or
a bug was met, once more. What was refused, and what a person cancelled, waits for a person. A tenant has one run of a
kind at a time.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import PARTITION_NAME_TAG

from tenant_pipeline.assets.going_live import (
    APPROVALS_TAG,
    DIGEST_TAG,
    LISTINGS,
    LOSSES_TAG,
    OPERATIONS_OF_JOB,
    OUTAGES_TAG,
    PROVISIONING,
    RELEASES,
)
from tenant_pipeline.assets.partitions import TENANT
from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.core.setback import Standing, set_back
from tenant_pipeline.resources.console import TO_CONSOLE
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.sensors.run_endings import ending_of, goes_on, refusal_of
from tenant_pipeline.services.approvals.line import OperationInLine, operations_in_line

FIRST_TIME = Standing(alone=True)


def _sensor_of(job: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"approvals_of_{job}",
        job_name=job,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Starts {job} for a tenant when every approval it takes is there.",
    )
    def approved(context: dg.SensorEvaluationContext, runtime: RuntimeResource) -> dg.SensorResult:
        opened, operations = runtime.open(), OPERATIONS_OF_JOB[job]
        asked: dict[str, tuple[OperationInLine, Standing]] = {}
        says = []
        line = operations_in_line(opened, *operations)
        busy = _tenants_with_a_run(context.instance, job) if any(not each.missing for each in line) else set()
        for each in line:
            waits = waits_for(each)
            if not each.missing:
                found: Standing | str = "a run of the tenant is on its way"
                if each.tenant not in busy and each.tenant not in asked:
                    found = _next_turn(context.instance, job, each, opened.now())
                if isinstance(found, Standing):
                    asked[each.tenant] = (each, found)
                else:
                    waits = f"{waits}; {found}"
            context.log.info(waits)
            says.append(waits)
        if asked:  # a run may have come through since the line was read
            still = {(each.tenant, each.digest) for each in operations_in_line(opened, *operations) if not each.missing}
            asked = {name: each for name, each in asked.items() if (name, each[0].digest) in still}
        new = sorted(asked.keys() - context.instance.get_existing_dynamic_partitions(TENANT, list(asked)))
        return dg.SensorResult(
            run_requests=[run_request(*each) for each in asked.values()],
            skip_reason=None if asked else "; ".join(says) or "Nothing was asked for.",
            dynamic_partitions_requests=[dg.AddDynamicPartitionsRequest(TENANT, new)] if new else [],
        )

    return approved


def waits_for(each: OperationInLine) -> str:
    """One line of the tick's log."""
    state = "; ".join(each.missing) if each.missing else "every approval is there"
    return f"{each.tenant}, {each.operation} {each.digest[:12]}: {state}"


def run_request(each: OperationInLine, standing: Standing) -> dg.RunRequest:
    """The run over an approved operation, keyed by its approvals and by how often it was set back."""
    approvals = list(each.approvals)
    return dg.RunRequest(
        run_key=sha256_of_json(
            [each.tenant, str(each.operation), each.digest, approvals, standing.outages, standing.losses]
        ),
        partition_key=each.tenant,
        run_config=TO_CONSOLE,
        tags={
            "tenant": each.tenant,
            DIGEST_TAG: each.digest,
            APPROVALS_TAG: ",".join(approvals),
            OUTAGES_TAG: str(standing.outages),
            LOSSES_TAG: str(standing.losses),
        },
    )


def _tenants_with_a_run(instance: dg.DagsterInstance, job: str) -> set[str]:
    unfinished = instance.get_runs(dg.RunsFilter(job_name=job, statuses=NOT_FINISHED_STATUSES))
    return {run.tags.get(PARTITION_NAME_TAG, "") for run in unfinished}


def _next_turn(instance: dg.DagsterInstance, job: str, each: OperationInLine, now: datetime) -> Standing | str:
    """How the operation stands for the run that is due now, or why none is."""
    last = instance.get_run_records(dg.RunsFilter(job_name=job, tags={DIGEST_TAG: each.digest}), limit=1)
    if not last or last[0].dagster_run.tags.get(APPROVALS_TAG) != ",".join(each.approvals):
        return FIRST_TIME
    (record,), run = last, last[0].dagster_run
    if not run.is_finished or run.is_success or goes_on(instance, record):
        return "its run is on its way"
    refused = refusal_of(instance, run)
    if refused:
        return f"run {run.run_id} was refused: {refused}"
    before = Standing(alone=True, outages=int(run.tags.get(OUTAGES_TAG, 0)), losses=int(run.tags.get(LOSSES_TAG, 0)))
    becomes = set_back(ending_of(instance, record), before)
    if becomes.stopped:
        return f"run {run.run_id} was ended before it was through, and a person has to look"
    ended = datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), UTC)
    if now < ended + becomes.wait:
        return f"run {run.run_id} met an outage; the next is due at {ended + becomes.wait:%H:%M:%S} UTC"
    return becomes.standing


approval_sensors: Sequence[dg.SensorDefinition] = [_sensor_of(job) for job in (RELEASES, PROVISIONING, LISTINGS)]

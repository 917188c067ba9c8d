"""What was approved becomes a run: one for each approved digest, and each tick says what the others still wait for.

A run is keyed by its requests, and Dagster runs a key once, so a tick that is repeated, or a daemon that is restarted,
asks for nothing twice. The asset uses the approvals up in the transaction that does the work, and looks again itself.
"""

from collections.abc import Sequence

import dagster as dg

from tenant_pipeline.assets.going_live import (
    APPROVALS_TAG,
    DIGEST_TAG,
    LISTINGS,
    OPERATIONS_OF_JOB,
    PROVISIONING,
    RELEASES,
)
from tenant_pipeline.assets.partitions import TENANT
from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.resources.console import TO_CONSOLE
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.services.approvals.line import OperationInLine, operations_in_line


def _sensor_of(job: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"approvals_of_{job}",
        job_name=job,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Starts {job} for a tenant when every approval it takes is there.",
    )
    def approved(context: dg.SensorEvaluationContext, runtime: RuntimeResource) -> dg.SensorResult:
        line = operations_in_line(runtime.open(), *OPERATIONS_OF_JOB[job])
        for each in line:
            context.log.info(waits_for(each))
        ready = [each for each in line if not each.missing]
        known = set(context.instance.get_dynamic_partitions(TENANT)) if ready else set()
        new = sorted({each.tenant for each in ready} - known)
        return dg.SensorResult(
            run_requests=[run_request(each) for each in ready],
            skip_reason=None if ready else "; ".join(map(waits_for, line)) or "Nothing was asked for.",
            dynamic_partitions_requests=[dg.AddDynamicPartitionsRequest(TENANT, new)] if new else [],
        )

    return approved


def waits_for(each: OperationInLine) -> str:
    """One line of the tick's log."""
    state = "; ".join(each.missing) if each.missing else "every approval is there"
    return f"{each.tenant}, {each.operation} {each.digest[:12]}: {state}"


def run_request(each: OperationInLine) -> dg.RunRequest:
    """The run over an approved operation, keyed by the requests that were approved."""
    return dg.RunRequest(
        run_key=sha256_of_json([each.tenant, str(each.operation), each.digest, list(each.requests)]),
        partition_key=each.tenant,
        run_config=TO_CONSOLE,
        tags={"tenant": each.tenant, DIGEST_TAG: each.digest, APPROVALS_TAG: ",".join(each.approvals)},
    )


approval_sensors: Sequence[dg.SensorDefinition] = [_sensor_of(job) for job in (RELEASES, PROVISIONING, LISTINGS)]

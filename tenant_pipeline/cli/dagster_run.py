"""Run the job over sources in this process: imported when it is needed, because Dagster takes seconds to load."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tenant_pipeline.assets.going_live import OPERATIONS_OF_JOB
from tenant_pipeline.assets.partitions import TENANT, TENANT_SOURCE
from tenant_pipeline.cli.dagster_environment import dagster_environment
from tenant_pipeline.cli.shell import complaints
from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.errors import OutageError, TenantRuntimeError
from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.definitions import defs
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors.uploads import NORMALISE_SOURCES, parts, range_tags, stretches
from tenant_pipeline.services import sources
from tenant_pipeline.services.audit_trail import seal_audit
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import StageRecord
from tenant_pipeline.telemetry.traces import runs

STEPS = len(STAGES) + 2


@contextmanager
def dagster_instance(runtime: Runtime) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of this installation, in this process."""
    os.environ.update(dagster_environment(runtime))
    with dg.DagsterInstance.get() as instance:
        yield instance


def run_sources(runtime: Runtime, chosen: Sequence[Source]) -> dict[SourceId, int]:
    """Run the job over these sources and say how many stages wrote something, by source.

    Sources of one run that stop hold up the others until the next run over those that may go on; this asks for it.

    Raises TenantRuntimeError where something around us is away: what was not through is in line again.
    """
    written: dict[SourceId, int] = {}
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        console=complaints,
        transient=True,
    )
    with dagster_instance(runtime) as instance, progress:
        bar = progress.add_task("starting", total=STEPS * len(chosen))

        def listener(tenant: TenantId, source: SourceId, record: StageRecord) -> None:
            written[source] = written.get(source, 0) + (not record.repeated)
            progress.update(bar, advance=1, description=f"{source} {record.stage}")

        resource = RuntimeAccess(runtime, listener)
        line = list(chosen)
        while line:
            _run_once(instance, line, resource, runtime.settings.sources_per_run)
            chosen_ids = {each.id for each in line}
            line = [
                each
                for tenant in sorted({each.tenant for each in line})
                for each in sources.list_sources(runtime, tenant)
                if each.id in chosen_ids and each.ingest_status == "waiting" and each.not_before is None
            ]
    for tenant in sorted({each.tenant for each in chosen}):
        seal_audit(runtime, tenant)
    return written


def register_partitions(runtime: Runtime, tenants: Sequence[TenantId]) -> None:
    """Let Dagster know the tenants and all of their sources, as a backfill in its UI needs them."""
    with dagster_instance(runtime) as instance:
        instance.add_dynamic_partitions(TENANT, list(tenants))
        for tenant in tenants:
            every = sources.list_sources(runtime, tenant)
            keys = [partition_key(tenant, each.id) for each in every if not each.is_withdrawn]
            instance.add_dynamic_partitions(TENANT_SOURCE, keys)


def run_for_tenant(runtime: Runtime, tenant: TenantId, operation: Operation) -> dict[str, Any]:
    """Run the job that does such operations for a tenant, and return what its asset says of it.

    Raises TenantRuntimeError where it fails.
    """
    name = next(job for job, operations in OPERATIONS_OF_JOB.items() if operation in operations)
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    with dagster_instance(runtime) as instance:
        instance.add_dynamic_partitions(TENANT, [tenant])
        result = defs.resolve_job_def(name).execute_in_process(
            instance=instance,
            partition_key=tenant,
            tags={"tenant": tenant},
            resources={"runtime": RuntimeAccess(runtime)},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
    for event in result.all_events:
        if event.is_step_failure:
            refused = event.step_failure_data.user_failure_data
            if refused is not None:
                told = {key: str(value.value) for key, value in refused.metadata.items()}
                raise TenantRuntimeError(
                    refused.description or "The job failed", where=told.get("where", ""), remedy=told.get("remedy", "")
                )
    _raise_faults(result)
    (materialised,) = result.asset_materializations_for_node(result.job_def.nodes[0].name)
    return {key: value.value for key, value in materialised.metadata.items()}


def _run_once(
    instance: dg.DagsterInstance, line: Sequence[Source], resource: RuntimeAccess, sources_per_run: int
) -> None:
    keys = [partition_key(each.tenant, each.id) for each in line]
    instance.add_dynamic_partitions(TENANT_SOURCE, keys)
    positions = {key: position for position, key in enumerate(instance.get_dynamic_partitions(TENANT_SOURCE))}
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    job = defs.resolve_job_def(NORMALISE_SOURCES)
    for stretch in stretches(line, positions):
        for part in parts(stretch, sources_per_run):
            result = job.execute_in_process(
                instance=instance,
                tags=range_tags(part),
                resources={"runtime": resource},
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
            runs.end()
            _raise_faults(result)


def _raise_faults(result: dg.ExecuteInProcessResult) -> None:
    """A stopped source is an outcome; anything else that failed a step is a fault, and said."""
    for event in result.all_events:
        refused = event.step_failure_data.user_failure_data if event.is_step_failure else None
        if refused is not None and "away" in refused.metadata:
            raise OutageError(
                f"The run ended: {refused.metadata['away'].value}",
                where=f"Dagster run {result.run_id}",
                remedy="What it had not come to is in line: the daemon takes it on, or this command when it is back.",
            )
        error = event.step_failure_data.error if event.is_step_failure else None
        if error is not None and error.cls_name != dg.Failure.__name__:
            cause = error.cause or error
            raise TenantRuntimeError(
                f"The stage failed with {cause.cls_name}",
                where=f"Dagster run {result.run_id}, step {event.step_key}",
                remedy="The run's log in the Dagster UI (`tenant-pipeline up`) has the trace.",
            )

"""Materialise one asset over the partitions of a run, one source after the other, so that no source holds up another.

A run over a range must not paint a stopped source green, and Dagster emits a materialisation for every partition of
the range once the asset has an output. So when every source went through, the asset has its output; when some were
stopped, it has none, the sources that went through are reported one by one, and the assets downstream of it are
skipped in this run. Those sources are marked `waiting`, and the next run takes them on without the stopped ones.

When the object store does not answer, the run ends there and has failed: each of the other sources would wait for it as
long. What it had not come to is put in line again, as after any run that ended early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg

from tenant_pipeline.core.errors import StoreUnavailableError, TenantRuntimeError
from tenant_pipeline.core.tenancy import SourceId, TenantId, from_partition_key
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import continue_later
from tenant_pipeline.telemetry.about import about
from tenant_pipeline.telemetry.traces import runs

Metadata = Mapping[str, Any]


def materialise(
    context: dg.AssetExecutionContext,
    runtime: Runtime,
    work: Callable[[TenantId, SourceId], Metadata],
) -> Iterator[dg.Output[None]]:
    """Do `work` for every partition of the run and report each as what it is: materialised, or stopped and why.

    `work` returns the metadata of one materialisation. Raises dagster.Failure when no source went through, and when
    the object store does not answer.
    """
    done: dict[str, Metadata] = {}
    stopped: dict[str, TenantRuntimeError] = {}
    store_away = False
    asset = context.asset_key.to_user_string()
    with runs.step(context.run_id, asset):
        for key in context.partition_keys:
            try:
                done[key] = work(*from_partition_key(key))
            except TenantRuntimeError as error:
                stopped[key] = error
                tenant, source = from_partition_key(key)
                with about({"tenant": tenant, "source": source, "stage": asset}):
                    context.log.error(f"{key} is stopped at {asset}: {error}")
                if isinstance(error, StoreUnavailableError):
                    store_away = True
                    break
    if stopped:
        for key, metadata in done.items():
            context.log_event(dg.AssetMaterialization(context.asset_key, partition=key, metadata=metadata))
            continue_later(runtime, *from_partition_key(key))
    if store_away or (stopped and not done):
        raise dg.Failure(
            description="; ".join(f"{key}: {error}" for key, error in stopped.items())[:2000],
            metadata={"stopped": list(stopped), "codes": sorted({error.code for error in stopped.values()})},
            allow_retries=False,
        )
    if stopped:
        return
    for key, metadata in done.items():
        context.add_asset_metadata(metadata, partition_key=key)
    yield dg.Output(None)

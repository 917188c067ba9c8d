"""Materialise one asset over the partitions of a run, one source after the other, so that no source holds up another.

A run over a range must not paint a stopped source green, and Dagster emits a materialisation for every partition of
the range once the asset has an output. So when every source went through, the asset has its output; when some were
stopped, it has none, the sources that went through are reported one by one, and the assets downstream of it are
skipped in this run. Those sources are marked `waiting`, and the next run takes them on without the stopped ones.

Whatever a source's work raises stops that source alone. When something around us is away (the database, the object
store, room on the disk), the run ends there and has failed: each of the other sources would wait for it as long. All
that were not through are put in line again, and are tried with patience.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import dagster as dg

from tenant_pipeline.core.errors import (
    DecidedMeanwhileError,
    OutageError,
    SourceWithdrawnError,
    StageFaultError,
    TenantRuntimeError,
)
from tenant_pipeline.core.setback import Ending
from tenant_pipeline.core.tenancy import SourceId, TenantId, from_partition_key
from tenant_pipeline.services.halts import continue_later, halt, put_back
from tenant_pipeline.services.patience import patiently
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.telemetry.about import about
from tenant_pipeline.telemetry.logs import trace_of
from tenant_pipeline.telemetry.traces import runs

Metadata = Mapping[str, Any]
ENDED_BY_TAG = "tenant_runtime/ended_by"
"""On a run that failed: `sources` where all that it had were stopped through what is their own, `outage` where
something around us was away. Any other failed through a fault."""


def materialise(
    context: dg.AssetExecutionContext,
    runtime: Runtime,
    work: Callable[[TenantId, SourceId], Metadata],
) -> Iterator[dg.Output[None]]:
    """Do `work` for every partition of the run and report each as what it is: materialised, or stopped and why.

    `work` returns the metadata of one materialisation, and halts a source itself whose stage it ends. Raises
    dagster.Failure when no source went through, and when something around us is away.
    """
    done: dict[str, Metadata] = {}
    stopped: dict[str, TenantRuntimeError] = {}
    away: OutageError | None = None
    asset, began = context.asset_key.to_user_string(), runtime.now()
    with runs.step(context.run_id, asset):
        for key in context.partition_keys:
            tenant, source = from_partition_key(key)
            with about({"tenant": tenant, "source": source, "stage": asset}):
                try:
                    done[key] = work(tenant, source)
                    continue
                except TenantRuntimeError as error:
                    told = error
                except Exception as error:
                    told = halt(runtime, tenant, source, asset, error, run_id=context.run_id)
                    told.__cause__ = error
                if isinstance(told, OutageError):
                    away = told
                    break
                stopped[key] = told
                context.log.error(_says(key, asset, told))
        if away is not None:
            for key in set(context.partition_keys) - done.keys() - stopped.keys():
                where = from_partition_key(key)
                patiently(
                    partial(put_back, runtime, *where, Ending.OUTAGE, away, run_id=context.run_id, asked_at=began)
                )
    if stopped or away:
        for key, metadata in done.items():
            where = from_partition_key(key)
            patiently(partial(continue_later, runtime, *where))
            context.log_event(dg.AssetMaterialization(context.asset_key, partition=key, metadata=metadata))
    if away or (stopped and not done):
        raise _failure(context, asset, stopped, away)
    if stopped:
        return
    for key, metadata in done.items():
        context.add_asset_metadata(metadata, partition_key=key)
    yield dg.Output(None)


def _says(key: str, asset: str, error: TenantRuntimeError) -> str:
    if isinstance(error, SourceWithdrawnError):
        return f"{key} is not in any run: {error}"
    becomes = "in line again" if isinstance(error, DecidedMeanwhileError) else "stopped"
    says = f"{key} is {becomes} at {asset}: {error}"
    if isinstance(error, StageFaultError) and error.__cause__ is not None:
        return f"{says}\n{trace_of(error.__cause__)}"
    return says


def _failure(
    context: dg.AssetExecutionContext, asset: str, stopped: Mapping[str, TenantRuntimeError], away: OutageError | None
) -> dg.Failure:
    reasons = {**stopped, **({asset: away} if away else {})}
    if away or not any(isinstance(error, StageFaultError) for error in stopped.values()):
        with suppress(Exception):  # it is for the figures alone
            context.instance.add_run_tags(context.run_id, {ENDED_BY_TAG: "outage" if away else "sources"})
    return dg.Failure(
        description="; ".join(f"{key}: {error}" for key, error in reasons.items())[:2000],
        metadata={
            "stopped": list(stopped),
            "codes": sorted({error.code for error in reasons.values()}),
            **({"away": away.what} if away else {}),
        },
        allow_retries=False,
    )

"""New uploads become runs: each source once for each time it is put in line, many sources a run.

A source is in line when it was received, or when it may go on: after a run over several sources went on without it,
governance overrode its gate, or what was away may be there again. The cursor remembers which places in line a run was
asked for, and Dagster keeps it together with the runs, so a tick that is repeated, or a daemon that is restarted, asks
for nothing twice. Only what was asked for long ago and is in no run's hand is asked for again: its run was deleted, or
has ended without touching it.

Tenants take turns: each has at most two runs' worth of sources in line, and those that take the first turn come first
among the partitions. A run ends for all its sources together, so where several tenants wait the heads of their lines
get runs of their own: one that hands in a single source does not wait for a hundred of another's. Later turns have a
lower priority in Dagster's queue.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    MAX_RETRIES_TAG,
    PRIORITY_TAG,
)

from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.core.tenancy import from_partition_key, partition_key
from tenant_pipeline.resources.console import TO_CONSOLE
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.sensors.runs_in_hand import SourcePartitions
from tenant_pipeline.services.privacy_declarations import queue_expired
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_queue import in_line, waiting_sources
from tenant_pipeline.services.sources import Source

NORMALISE_SOURCES = "normalise_sources"
LINE = 1000
"""How many waiting sources a tick looks at; the rest come when these have moved on."""
RUNS_OF_A_TENANT = 2
"""How many runs' worth of those may be one tenant's."""
HEAD_OF_LINE = 10
"""How many of a tenant's sources are in the runs that other tenants' first ones are in."""

PATIENCE = timedelta(minutes=15)
"""So long a source has been in line before it is asked whether the run that was asked for it is still there; and once
in so long another is asked for where it is not."""


@dg.sensor(job_name=NORMALISE_SOURCES, minimum_interval_seconds=5, default_status=dg.DefaultSensorStatus.RUNNING)
def uploads(context: dg.SensorEvaluationContext, runtime: RuntimeResource) -> dg.SensorResult:
    """Asks for a run over each stretch of sources that stand in line."""
    opened = runtime.open()
    queue_expired(opened)
    a_run = opened.settings.sources_per_run
    line = waiting_sources(opened, limit=LINE, of_a_tenant=RUNS_OF_A_TENANT * a_run)
    asked_for = set(json.loads(context.cursor or "[]"))
    now = opened.now()
    long_ago = [each for each in line if _place_in_line(each) in asked_for and each.queued_at < now - PATIENCE]
    in_hand = SourcePartitions(context.instance).in_hand() if long_ago else frozenset[str]()
    lost = {_place_in_line(each) for each in long_ago if _key(each) not in in_hand}
    asked_for -= lost
    waiting = [source for source in line if _place_in_line(source) not in asked_for]
    cursor = json.dumps(sorted({*map(_place_in_line, line), *_further_back(opened, asked_for, line)}))
    if not waiting:
        return dg.SensorResult(skip_reason=f"{len(line)} sources stand in line, none of them new.", cursor=cursor)
    keys = [_key(each) for each in waiting]
    known = context.instance.get_existing_dynamic_partitions(TENANT_SOURCE, keys)
    new = [key for key in keys if key not in known]
    # Reading all partitions goes with the installation: it is left where none that wait has a place among them.
    before = context.instance.get_dynamic_partitions(TENANT_SOURCE) if known else []
    positions = {key: position for position, key in enumerate([*before, *new])}
    turn, span = turns(line), int(now.timestamp() / PATIENCE.total_seconds())
    return dg.SensorResult(
        run_requests=[
            run_request(
                part,
                priority=-(min(turn[_key(each)] for each in part) // HEAD_OF_LINE),
                again=span if lost.intersection(map(_place_in_line, part)) else 0,
            )
            for stretch in stretches(waiting, positions)
            for together in heads_apart(stretch, turn)
            for part in parts(together, a_run)
        ],
        dynamic_partitions_requests=[dg.AddDynamicPartitionsRequest(TENANT_SOURCE, new)] if new else [],
        cursor=cursor,
    )


def _further_back(runtime: Runtime, asked_for: Collection[str], line: Sequence[Source]) -> Iterator[str]:
    """The places that a run was asked for and whose sources still stand there, behind all that a tick looks at."""
    shown = {_place_in_line(each) for each in line}
    asked = [from_partition_key(place.rpartition("@")[0]) for place in asked_for if place not in shown]
    return (place for place in map(_place_in_line, in_line(runtime, asked)) if place in asked_for)


def stretches(waiting: Sequence[Source], positions: dict[str, int]) -> list[list[Source]]:
    """The waiting sources in stretches without a gap among the partitions: what a range can name.

    One that is run by itself is a stretch of its own.
    """
    found: list[list[Source]] = []
    for source in sorted(waiting, key=lambda each: positions[_key(each)]):
        before = found[-1][-1] if found else None
        neighbours = before is not None and positions[_key(source)] == positions[_key(before)] + 1
        if before is not None and neighbours and not (source.alone or before.alone):
            found[-1].append(source)
        else:
            found.append([source])
    return found


def parts(stretch: Sequence[Source], most: int) -> list[Sequence[Source]]:
    """A stretch in parts of at most `most` sources: what one run takes on."""
    return [stretch[first : first + most] for first in range(0, len(stretch), most)]


def heads_apart(stretch: Sequence[Source], turn: Mapping[str, int]) -> list[Sequence[Source]]:
    """A stretch cut where it passes between the heads of tenants' lines and what stands further back.

    What is one tenant's alone stays whole: nobody is held up by it.
    """
    if len({each.tenant for each in stretch}) == 1:
        return [stretch]
    return [list(part) for _, part in groupby(stretch, lambda each: turn[_key(each)] < HEAD_OF_LINE)]


def turns(line: Sequence[Source]) -> dict[str, int]:
    """By partition: how many sources of its own tenant each has before it in line."""
    before: Counter[str] = Counter()
    found = {}
    for source in line:
        found[_key(source)] = before[source.tenant]
        before[source.tenant] += 1
    return found


def run_request(stretch: Sequence[Source], *, priority: int = 0, again: int = 0) -> dg.RunRequest:
    """One run over a stretch of sources, asked for once for each time they were put in line.

    Dagster runs nothing twice under one key. Where a run was asked for before that has one of them in hand no more,
    `again` is the span of `PATIENCE` in which it is asked for again: once in each.

    Dagster does not run it again where its process is killed: `ended_runs` puts its sources in line, each by itself.
    """
    tags = {**range_tags(stretch), PRIORITY_TAG: str(priority), MAX_RETRIES_TAG: "0"}
    key = sha256_of_json([*map(_place_in_line, stretch), *([again] if again else [])])
    return dg.RunRequest(run_key=key, tags=tags, run_config=TO_CONSOLE)


def range_tags(stretch: Sequence[Source]) -> dict[str, str]:
    """The run tags that name a range of partitions, whose they are, and where they come from."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: _key(stretch[0]),
        ASSET_PARTITION_RANGE_END_TAG: _key(stretch[-1]),
        "tenant": ", ".join(sorted({each.tenant for each in stretch})),
        "origin": ", ".join(sorted({str(each.origin) for each in stretch})),
        "unit_mode": ", ".join(sorted({str(each.unit_mode) for each in stretch})),
    }


def _place_in_line(source: Source) -> str:
    return f"{_key(source)}@{source.queued_at.isoformat()}"


def _key(source: Source) -> str:
    return partition_key(source.tenant, source.id)

"""A run that has ended before it was through leaves nothing in hand, whoever ended it and whatever was away by then.

It took too long, its process was killed, a person cancelled it. What it leaves is a claim on a feed, which is given
back, and sources that are on their way. Nobody knows which of them it was that ended the run, so each is put in line to
be run by itself: the one that does it again is stopped for a person to see, and the others go on. A run that never
began has touched none of them. After a run that a person cancelled they are stopped at once.

Dagster's own sensors of failed runs tell of each run once, also where the telling fails (our database is away in that
very tick), and of no run of the command line. So this one looks for itself, and has looked when its work is committed.
It looks back a little further each time: runs are noted by the clocks of several machines, and late. What is done twice
by that is done once: what a run left is put in line, and what is in line since is not the run's any more.

What a run leaves of which Dagster knows nothing (somebody deleted it there, its records were lost), and what somebody
materialised half the way by hand, is on its way in no run, or is assembled and was never judged. It is put in line, to
go on with others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial

import dagster as dg
from dagster._core.storage.dagster_run import RunRecord
from dagster._core.storage.tags import PARTITION_NAME_TAG

from tenant_pipeline.assets.feed_partitions import tenant_and_feed
from tenant_pipeline.assets.feeds import FETCH_FEED
from tenant_pipeline.core.errors import (
    DatabaseUnavailableError,
    NotFoundError,
    OutageError,
    RunCancelledError,
    RunGoneError,
    RunNotStartedError,
    TenantRuntimeError,
)
from tenant_pipeline.core.setback import Ending
from tenant_pipeline.core.tenancy import SourceId, TenantId, from_partition_key, partition_key
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.sensors.run_endings import ending_of, goes_on
from tenant_pipeline.sensors.runs_in_hand import SourcePartitions
from tenant_pipeline.services.faults import in_our_words
from tenant_pipeline.services.feeds.polling import release_claim
from tenant_pipeline.services.halts import lost, put_back
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_queue import sources_on_their_way
from tenant_pipeline.services.unjudged import unjudged_sources

ENDED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
LOOKS_BACK = timedelta(minutes=15)
QUIET = timedelta(minutes=15)
"""So long a source has made no step before it is asked whether a run has it in hand: who materialises stage after stage
by hand is not overtaken."""


@dg.sensor(minimum_interval_seconds=10, default_status=dg.DefaultSensorStatus.RUNNING)
def ended_runs(context: dg.SensorEvaluationContext, runtime: RuntimeResource) -> dg.SensorResult:
    """Gives back what runs had in hand that have failed or were cancelled, and puts in line what no run has in hand."""
    opened = runtime.open()
    now = datetime.now(UTC)
    looked, done = _last_look(context.cursor, now)
    tick = _Tick(context, opened)
    adrift = tick.in_no_hand(sources_on_their_way(opened, QUIET))
    ended = [
        record
        for record in context.instance.get_run_records(
            dg.RunsFilter(statuses=ENDED, updated_after=min(looked, now) - LOOKS_BACK),
            order_by="update_timestamp",
            ascending=True,
        )
        if not goes_on(context.instance, record)
    ]
    for record in ended:
        if record.dagster_run.run_id not in done:
            tick.attempt(record.dagster_run.run_id, partial(tick.give_back, record))
    for key in adrift:
        tick.attempt(key, partial(tick.put_in_line, key, now))
    if tick.failed:
        raise tick.failed[0]
    return dg.SensorResult(
        skip_reason=f"{len(ended)} runs have lately ended before they were through.",
        cursor=json.dumps({"looked": now.isoformat(), "done": [each.dagster_run.run_id for each in ended]}),
    )


@dg.sensor(minimum_interval_seconds=600, default_status=dg.DefaultSensorStatus.RUNNING)
def unjudged(context: dg.SensorEvaluationContext, runtime: RuntimeResource) -> dg.SkipReason:
    """Puts in line what was assembled, was never judged as it stands, and is in the hand of no run."""
    opened = runtime.open()
    now = datetime.now(UTC)
    tick = _Tick(context, opened)
    adrift = tick.in_no_hand(unjudged_sources(opened, QUIET))
    for key in adrift:
        tick.attempt(key, partial(tick.put_in_line, key, now))
    if tick.failed:
        raise tick.failed[0]
    return dg.SkipReason(f"{len(adrift)} assembled sources were in no run, to be judged.")


def _last_look(cursor: str | None, now: datetime) -> tuple[datetime, frozenset[str]]:
    """When this sensor looked last, and which of the runs that it found then it has done with."""
    kept = json.loads(cursor or "{}")
    if "looked" not in kept:  # the first look, or one of an earlier version of this sensor
        return now, frozenset()
    return datetime.fromisoformat(kept["looked"]), frozenset(kept["done"])


@dataclass
class _Tick:
    """One look. What cannot be done holds up nothing else, and has the tick fail: it is tried again at the next."""

    context: dg.SensorEvaluationContext
    runtime: Runtime
    failed: list[TenantRuntimeError] = field(default_factory=list)

    @cached_property
    def partitions(self) -> SourcePartitions:
        """The partitions of sources: read where there is something to do."""
        return SourcePartitions(self.context.instance)

    @cached_property
    def in_hand(self) -> frozenset[str]:
        """What the runs that have not ended have in hand."""
        return self.partitions.in_hand()

    def in_no_hand(self, found: Sequence[tuple[TenantId, SourceId]]) -> list[str]:
        """Those of the sources that no run has in hand now, after they were found: they have lost their run."""
        return [key for key in (partition_key(*each) for each in found) if key not in self.in_hand]

    def attempt(self, what: str, work: Callable[[], None]) -> None:
        """Do it. Raises OutageError where something around us is away: nothing else could be done either."""
        try:
            work()
        except Exception as error:
            told = in_our_words(error, where=what, run_id="")
            if isinstance(told, OutageError):
                raise told from error
            self.context.log.exception(f"{what}: what it had in hand is not given back")
            told.__cause__ = error
            self.failed.append(told)

    def give_back(self, record: RunRecord) -> None:
        """Give back what a run had in hand, but for what another run has by now."""
        run = record.dagster_run
        if run.job_name == FETCH_FEED:
            since = None if record.start_time is None else datetime.fromtimestamp(record.start_time, UTC)
            with suppress(NotFoundError):  # the feed is gone, and its claim with it
                release_claim(self.runtime, *tenant_and_feed(run.tags[PARTITION_NAME_TAG]), since)
            return
        keys = self.partitions.of_run(run.tags)
        ending = ending_of(self.context.instance, record)
        begun = record.start_time is not None
        for key in keys:
            if key not in self.in_hand:
                why = _why(ending, key, run.run_id, begun=begun, alone=len(keys) == 1)
                self._put_back(key, ending, why, run.run_id, record.create_timestamp)

    def put_in_line(self, key: str, now: datetime) -> None:
        """Put a source in line that is on its way, and in the hand of no run."""
        why = RunGoneError(
            "It was on its way, and no run had it in hand any more",
            where=key,
            remedy="Its run was deleted or is not known to Dagster, or went only part of the way. It is in line again.",
        )
        self._put_back(key, Ending.ADRIFT, why, "", now)

    def _put_back(self, key: str, ending: Ending, why: TenantRuntimeError, run_id: str, asked_at: datetime) -> None:
        status = None
        with suppress(NotFoundError):  # the tenant is gone, and its sources with it
            status = put_back(self.runtime, *from_partition_key(key), ending, why, run_id=run_id, asked_at=asked_at)
        if status is not None:
            self.context.log.warning(f"{key}: its run was ended before it was through ({ending}), and it is {status}")


def _why(ending: Ending, key: str, run_id: str, *, begun: bool, alone: bool) -> TenantRuntimeError:
    where = f"{key}, Dagster run {run_id}"
    if ending is Ending.CANCELLED:
        return RunCancelledError("Its run was cancelled", where=where, remedy="Materialise the partition to go on.")
    if ending is Ending.OUTAGE and begun:
        return DatabaseUnavailableError(
            "The database did not answer, or had no room on its disk",
            where=where,
            remedy="See that PostgreSQL runs and has room. It is tried again by itself.",
        )
    if ending is Ending.OUTAGE:
        return RunNotStartedError(
            "Its run ended before it had begun",
            where=where,
            remedy="The run's log says why: most likely Dagster's code server is away. It is tried again by itself.",
        )
    return lost(key, run_id, alone=alone)

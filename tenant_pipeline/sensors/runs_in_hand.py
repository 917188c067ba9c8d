"""Which partitions runs have in hand: those that a run takes on, and those of all runs that have not ended."""

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from tenant_pipeline.assets.feeds import FETCH_FEED
from tenant_pipeline.assets.partitions import TENANT_SOURCE


class SourcePartitions:
    """The partitions of sources that Dagster knows, in their order."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._known = list(instance.get_dynamic_partitions(TENANT_SOURCE))
        self._positions = {key: position for position, key in enumerate(self._known)}

    def of_run(self, tags: Mapping[str, str]) -> Sequence[str]:
        """The partitions that a run over one, or over a range of them, takes on; none where it is not over sources."""
        if PARTITION_NAME_TAG in tags:
            key = tags[PARTITION_NAME_TAG]
            return [key] if key in self._positions else []
        first, last = (
            self._positions.get(tags.get(tag, ""))
            for tag in (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)
        )
        return [] if first is None or last is None else self._known[first : last + 1]

    def in_hand(self) -> frozenset[str]:
        """The partitions of all runs that have not ended, those in Dagster's queue among them."""
        runs = self._instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES))
        return frozenset(key for run in runs for key in self.of_run(run.tags))


def fetches_in_hand(instance: dg.DagsterInstance, feeds: Sequence[str]) -> frozenset[str]:
    """Those of the partitions of feeds that a run will fetch, or is fetching; those in Dagster's queue among them."""
    if not feeds:
        return frozenset()
    unfinished = dg.RunsFilter(
        job_name=FETCH_FEED, statuses=NOT_FINISHED_STATUSES, tags={PARTITION_NAME_TAG: list(feeds)}
    )
    return frozenset(run.tags[PARTITION_NAME_TAG] for run in instance.get_runs(unfinished))

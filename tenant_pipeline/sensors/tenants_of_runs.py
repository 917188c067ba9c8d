"""Whose sources, feeds and releases a run is over, however it was begun: by a sensor, a command or in Dagster's UI."""

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from tenant_pipeline.assets.feed_partitions import FEED
from tenant_pipeline.assets.partitions import TENANT, TENANT_SOURCE
from tenant_pipeline.core.tenancy import PARTITION_SEPARATOR, TenantId


class TenantsOfRuns:
    """The tenants that runs are over, by their tags and the partitions that Dagster knows."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._kinds = []
        for kind in (TENANT_SOURCE, FEED, TENANT):
            keys = list(instance.get_dynamic_partitions(kind))
            self._kinds.append((keys, {key: position for position, key in enumerate(keys)}))

    def of_run(self, tags: Mapping[str, str]) -> frozenset[TenantId] | None:
        """The tenants of a run; None where it is over a range that cannot be told any more."""
        told = [tenant for tenant in tags.get("tenant", "").split(", ") if tenant]
        if PARTITION_NAME_TAG in tags:
            told.append(_tenant_of(tags[PARTITION_NAME_TAG]))
        elif ASSET_PARTITION_RANGE_START_TAG in tags:
            keys = self._between(tags[ASSET_PARTITION_RANGE_START_TAG], tags.get(ASSET_PARTITION_RANGE_END_TAG, ""))
            if not keys and not told:
                return None
            told += map(_tenant_of, keys)
        return frozenset(map(TenantId, told))

    def _between(self, first: str, last: str) -> Sequence[str]:
        return next((keys[at[first] : at[last] + 1] for keys, at in self._kinds if first in at and last in at), ())


def _tenant_of(partition: str) -> str:
    return partition.partition(PARTITION_SEPARATOR)[0]

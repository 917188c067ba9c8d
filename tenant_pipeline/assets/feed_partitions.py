"""How the feeds are cut: one partition a feed, keyed `tenant|feed`."""

from __future__ import annotations

import dagster as dg

from tenant_pipeline.core.tenancy import PARTITION_SEPARATOR, TenantId, tenant_id

FEED = "feed"

feed_partitions = dg.DynamicPartitionsDefinition(name=FEED)


def feed_key(tenant: TenantId, feed: str) -> str:
    """The partition of a feed: `tenant|feed`."""
    return f"{tenant}{PARTITION_SEPARATOR}{feed}"


def tenant_and_feed(key: str) -> tuple[TenantId, str]:
    """Whose the feed of a partition is, and which."""
    tenant, _, feed = key.partition(PARTITION_SEPARATOR)
    return tenant_id(tenant), feed

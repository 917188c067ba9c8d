"""The versions of each feed as an asset, a partition a feed; materialising one asks the feed now, whatever its size."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from tenant_pipeline.assets.feed_health import FEED_IS_WELL, FEED_VERSION, evaluation
from tenant_pipeline.assets.feed_partitions import feed_key, feed_partitions, tenant_and_feed
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.services.feeds.health import health_of, note_told
from tenant_pipeline.services.feeds.polling import Answer, Polled, fetch_wholly
from tenant_pipeline.telemetry.traces import runs

FETCH_FEED = "fetch_feed"
AS_OF_TAG = "feed_as_of"
"""On a run that was asked for because its feed is large: the mark of the feed then. The run asks nothing where that is
another by now."""


def version_event(polled: Polled) -> dg.AssetMaterialization | None:
    """The version that came of asking a feed, if one did."""
    if polled.answer not in (Answer.VERSION, Answer.HELD):
        return None
    feed = polled.feed
    return dg.AssetMaterialization(
        FEED_VERSION,
        partition=feed_key(feed.tenant, feed.id),
        metadata={"version": polled.number, "answer": str(polled.answer), "detail": polled.detail},
        tags={"tenant": feed.tenant},
    )


@dg.asset(
    key=FEED_VERSION,
    partitions_def=feed_partitions,
    group_name="feeds",
    freshness_policy=dg.FreshnessPolicy.time_window(warn_window=timedelta(days=2), fail_window=timedelta(days=7)),
)
def feed_version(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> dg.MaterializeResult[None]:
    """The newest version of a feed: it becomes the unit of its source, unless a person has to look at it first."""
    opened = runtime.open()
    tenant, feed = tenant_and_feed(context.partition_key)
    with runs.step(context.run_id, FEED_VERSION.to_user_string()):
        # Whoever runs it once more, wants it now.
        as_of = context.run.tags.get(AS_OF_TAG) if context.run.parent_run_id is None else None
        polled = fetch_wholly(opened, tenant, feed, as_of=as_of)
    return dg.MaterializeResult(
        metadata={"answer": str(polled.answer), "detail": polled.detail, "version": polled.number or 0}
    )


@dg.multi_asset_check(
    name=f"{FEED_VERSION.to_user_string()}_{FEED_IS_WELL}",
    specs=[
        dg.AssetCheckSpec(
            FEED_IS_WELL,
            asset=FEED_VERSION,
            description="The feed answers, is as fresh as it has to be, and nothing of it waits for a person.",
            partitions_def=feed_partitions,
        )
    ],
    can_subset=True,
)
def feed_check(context: dg.AssetCheckExecutionContext, runtime: RuntimeResource) -> Iterator[dg.AssetCheckResult]:
    """How each feed of the run is now. A run may be ended before Dagster has that: the sensor tells it once more."""
    opened = runtime.open()
    for key in context.op_execution_context.partition_keys:
        tenant, feed = tenant_and_feed(key)
        found = evaluation(context.instance, key, health_of(opened, tenant, feed))
        context.op_execution_context.log_event(found)  # type: ignore[arg-type]
        note_told(opened, tenant, feed, None)
    yield from ()

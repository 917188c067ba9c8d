"""Feeds that are due are asked in passing: what has not changed costs one request and no run.

What is too large for that gets a run of its own. What has changed puts its source in line, and the sensor over uploads
asks for its run. A feed is claimed while it is asked, so that a tick which is cut off asks nothing twice. One whose run
waits in Dagster's queue longer than that is claimed anew: it is not asked until its run has ended.

What came of it is told to Dagster here and not by what the tick returns: Dagster stores the events of a tick before
its runs, and one that it does not take would cost the runs too.
"""

from concurrent.futures import ThreadPoolExecutor

import dagster as dg

from tenant_pipeline.assets.feed_health import tell_health
from tenant_pipeline.assets.feed_partitions import FEED, feed_key
from tenant_pipeline.assets.feeds import AS_OF_TAG, FETCH_FEED, version_event
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.resources.console import TO_CONSOLE
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.sensors.runs_in_hand import fetches_in_hand
from tenant_pipeline.services.feeds.alerts import note_stale_feeds
from tenant_pipeline.services.feeds.health import untold_feeds
from tenant_pipeline.services.feeds.polling import Answer, Polled, due_feeds, hold_claim, mark_of, poll_feed
from tenant_pipeline.services.runtime import Runtime

FEEDS_A_TICK = 16
AT_ONCE = 8
TOLD_A_TICK = 50


@dg.sensor(job_name=FETCH_FEED, minimum_interval_seconds=15, default_status=dg.DefaultSensorStatus.RUNNING)
def feeds(context: dg.SensorEvaluationContext, runtime: RuntimeResource) -> dg.SensorResult:
    """Asks the feeds that are due, a few at a time, and tells what came of it."""
    opened = runtime.open()
    due = due_feeds(opened, FEEDS_A_TICK)
    fetched = fetches_in_hand(context.instance, [feed_key(*each) for each in due])

    def ask(feed: tuple[TenantId, str]) -> Polled | None:
        try:
            if feed_key(*feed) in fetched:
                hold_claim(opened, *feed)
                return None
            return poll_feed(opened, *feed)
        except Exception as error:
            context.log.error(f"{feed_key(*feed)}: {type(error).__name__}; it is asked again when its claim runs out")
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        polled = [each for each in pool.map(ask, due) if each is not None]
    for each in polled:
        context.log.info(f"{feed_key(each.feed.tenant, each.feed.id)}: {each.answer} {each.detail}".rstrip())
    note_stale_feeds(opened)
    told = _tell(context, opened, polled)
    keys = list(dict.fromkeys(feed_key(*each) for each in [*((one.feed.tenant, one.feed.id) for one in polled), *told]))
    known = context.instance.get_existing_dynamic_partitions(FEED, keys)
    new = [key for key in keys if key not in known]
    large = [each.feed for each in polled if each.answer is Answer.LARGE]
    requests = [
        dg.RunRequest(
            run_key=f"{feed_key(feed.tenant, feed.id)}@{feed.due_at.isoformat()}",
            partition_key=feed_key(feed.tenant, feed.id),
            tags={"tenant": feed.tenant, AS_OF_TAG: mark_of(feed)},
            run_config=TO_CONSOLE,
        )
        for feed in large
    ]
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else f"{len(polled)} feeds were asked.",
        dynamic_partitions_requests=[dg.AddDynamicPartitionsRequest(FEED, new)] if new else [],
    )


def _tell(context: dg.SensorEvaluationContext, runtime: Runtime, polled: list[Polled]) -> list[tuple[TenantId, str]]:
    """Tell Dagster which versions came, and how feeds are that have changed; returns those feeds."""
    for event in filter(None, map(version_event, polled)):
        try:
            context.instance.report_runless_asset_event(event)
        except Exception as error:
            context.log.error(f"{event.partition}: its version is not told: {type(error).__name__}")
    told = untold_feeds(runtime, TOLD_A_TICK)
    for feed in told:
        try:
            tell_health(runtime, context.instance, *feed)
        except Exception as error:
            context.log.error(f"{feed_key(*feed)}: {type(error).__name__}; how it is, is told at the next tick")
    return told

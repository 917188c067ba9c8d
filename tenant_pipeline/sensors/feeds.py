"""Feeds that are due are asked in passing: what has not changed costs one request and no run.

What is too large for that gets a run of its own. What has changed puts its source in line, and the sensor over uploads
asks for its run. A feed is claimed while it is asked, so that a tick which is cut off asks nothing twice.
"""

from concurrent.futures import ThreadPoolExecutor

import dagster as dg

from tenant_pipeline.assets.feeds import FEED, FETCH_FEED, feed_key, health_event, version_event
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.resources.console import TO_CONSOLE
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.services.feeds.alerts import note_stale_feeds
from tenant_pipeline.services.feeds.polling import Answer, Polled, due_feeds, poll_feed
from tenant_pipeline.services.feeds.versions import feed_and_whether_held

FEEDS_A_TICK = 16
AT_ONCE = 8


@dg.sensor(job_name=FETCH_FEED, minimum_interval_seconds=15, default_status=dg.DefaultSensorStatus.RUNNING)
def feeds(context: dg.SensorEvaluationContext, runtime: RuntimeResource) -> dg.SensorResult:
    """Asks the feeds that are due, a few at a time, and tells what came of it."""
    opened = runtime.open()
    due = due_feeds(opened, FEEDS_A_TICK)

    def ask(feed: tuple[TenantId, str]) -> Polled | None:
        try:
            return poll_feed(opened, *feed)
        except Exception as error:
            context.log.error(f"{feed_key(*feed)}: {type(error).__name__}; it is asked again when its claim runs out")
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        polled = [each for each in pool.map(ask, due) if each is not None]
    for each in polled:
        context.log.info(f"{feed_key(each.feed.tenant, each.feed.id)}: {each.answer} {each.detail}".rstrip())
    keys = [feed_key(each.feed.tenant, each.feed.id) for each in polled]
    known = set(context.instance.get_dynamic_partitions(FEED)) if keys else set()
    new = [key for key in keys if key not in known]
    large = [each.feed for each in polled if each.answer is Answer.LARGE]
    requests = [
        dg.RunRequest(
            run_key=f"{feed_key(feed.tenant, feed.id)}@{feed.due_at.isoformat()}",
            partition_key=feed_key(feed.tenant, feed.id),
            tags={"tenant": feed.tenant},
            run_config=TO_CONSOLE,
        )
        for feed in large
    ]
    versions = [event for event in map(version_event, polled) if event is not None]
    told = (Answer.UNCHANGED, Answer.VERSION, Answer.HELD, Answer.FAILED)
    states = (feed_and_whether_held(opened, each.feed.tenant, each.feed.id) for each in polled if each.answer in told)
    stale = ((feed, False) for feed in note_stale_feeds(opened))
    health = [health_event(feed, held) for feed, held in (*states, *stale)]
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else f"{len(polled)} feeds were asked.",
        dynamic_partitions_requests=[dg.AddDynamicPartitionsRequest(FEED, new)] if new else [],
        asset_events=[*versions, *health],
    )

"""Asking a feed: what has not changed costs one request; what has becomes a version; a failure is asked about later."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tenant_pipeline.core.errors import InputError, OutageError, TenantRuntimeError
from tenant_pipeline.core.feed.profile import reasons_to_wait
from tenant_pipeline.core.feed.schedule import due_after_failure
from tenant_pipeline.core.lifecycle import StateForbidsError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.link.errors import PassingError, TooLargeError, TooSlowError
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.services.faults import in_our_words
from tenant_pipeline.services.feature_flags.overrides import SwitchedOffError, require_on, switched_off
from tenant_pipeline.services.feeds.alerts import alert, is_stale
from tenant_pipeline.services.feeds.credentials import credential_of
from tenant_pipeline.services.feeds.feeds import Feed, claim_feed, get_feed, lock_feed
from tenant_pipeline.services.feeds.versions import add_version, comparable_profile, newest_versions, profile_of
from tenant_pipeline.services.fetched_links import FetchedLink, fetch_link, note_fetched
from tenant_pipeline.services.kept_units import keep_unit
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import LINKS, SourceInUseError
from tenant_pipeline.services.tenant_state import require_in_service
from tenant_pipeline.storage.database import Connection, bound_waiting
from tenant_pipeline.telemetry.traces import traced

BRIEFLY = LinkPolicy(
    max_bytes=8 * 1024 * 1024,
    max_attempts=1,
    timeout_seconds=20.0,
    quiet_seconds=10.0,
    request_interval_seconds=0.0,
    obey_robots=False,
)
"""What a feed may cost when it is asked in passing. Attempts are the schedule's: it asks again after a failure."""

WHOLLY = LinkPolicy(max_bytes=4 * 1024**3, timeout_seconds=3_600.0, request_interval_seconds=0.0, obey_robots=False)
"""What a feed may cost that has a run of its own, because it is large or slow."""

DEAD_AFTER = 5
"""After so many failures in a row a feed is called dead. It is asked on, ever more rarely."""

SHORT_PAUSE, LONG_PAUSE = timedelta(minutes=1), timedelta(minutes=15)
"""So soon a feed is asked again where what hindered it was nothing of its own, and where it hinders it still: a large
feed fills a full disk each time."""

MARGIN = timedelta(minutes=10)


class Answer(StrEnum):
    """What came of asking."""

    NOT_DUE = "not-due"
    UNCHANGED = "unchanged"
    VERSION = "version"
    HELD = "held"
    FAILED = "failed"
    LARGE = "large"
    """Too large or too slow to be fetched in passing: it takes a run of its own."""

    IN_USE = "in-use"
    """The version before is still on its way; it is asked again in a minute."""


@dataclass(frozen=True)
class Polled:
    """A feed as it stands after it was asked, and what came of it; `number` is the new version's."""

    feed: Feed
    answer: Answer
    number: int | None = None
    detail: str = ""


def due_feeds(runtime: Runtime, limit: int) -> list[tuple[TenantId, str]]:
    """Feeds of all tenants that are due and whose source is not on its way, in turn by tenant, the oldest first.

    None of a tenant that is out of service, or whose links are switched off: those wait until it takes in again.
    """
    now = runtime.now()
    with runtime.database.platform() as connection:
        rows = connection.execute(
            """
            SELECT feed.tenant_id, feed.id
              FROM runtime.feeds AS feed
              JOIN runtime.tenants AS tenant ON tenant.id = feed.tenant_id
              LEFT JOIN runtime.tenant_sources AS source
                ON source.tenant_id = feed.tenant_id AND source.id = feed.source_id
             WHERE feed.status = 'active' AND feed.due_at <= %s
               AND tenant.status NOT IN ('suspended', 'archived') AND tenant.id <> ALL(%s)
               AND (source.id IS NULL OR source.ingest_status IN ('assembled', 'stopped'))
             ORDER BY row_number() OVER (PARTITION BY feed.tenant_id ORDER BY feed.due_at), feed.due_at, feed.id
             LIMIT %s
            """,
            (now, switched_off(connection, LINKS, now), limit),
        ).fetchall()
    return [(TenantId(row["tenant_id"]), row["id"]) for row in rows]


@traced("feed.poll")
def poll_feed(runtime: Runtime, tenant: TenantId, feed_id: str, *, wholly: bool = False) -> Polled:
    """Ask a feed that is due; `wholly` where it has all the time it needs.

    Killed at any point, it is asked again when its claim has run out. Where something around us is away (the object
    store, room on the disk), nothing is held against it: it is asked again in a minute, and where that lasts in a
    quarter of an hour.

    Raises NotFoundError for no such feed, StateForbidsError and SwitchedOffError where the tenant takes nothing in by
    link, and whatever comes of a database that is away; what is wrong with the feed itself is noted, and never raised.
    """
    now = runtime.now()
    policy = replace(WHOLLY if wholly else BRIEFLY, allow_loopback=runtime.settings.loopback_links)
    with runtime.database.tenant(tenant) as connection:
        bound_waiting(connection)
        _require_asking(connection, runtime, tenant)
        until = now + timedelta(seconds=policy.timeout_seconds) + MARGIN
        feed = claim_feed(connection, tenant, feed_id, now, until)
        if feed is None:
            return Polled(get_feed(connection, tenant, feed_id), Answer.NOT_DUE)
    try:
        return _ask(runtime, feed, policy, wholly=wholly)
    except SourceInUseError as error:
        return Polled(_put_off(runtime, feed), Answer.IN_USE, detail=error.what)
    except Exception as error:
        told = in_our_words(error, where=feed.id, run_id="")
        with suppress(Exception):  # where it is the database that is away, the claim runs out by itself
            if isinstance(told, OutageError):
                return Polled(_put_off(runtime, feed, away=told.what), Answer.FAILED, detail=told.what)
            _give_up(runtime, feed)
        raise
    except BaseException:
        # Ended from outside, such as a run that took too long: the claim goes, if it can.
        with suppress(Exception):
            _give_up(runtime, feed)
        raise


def _ask(runtime: Runtime, feed: Feed, policy: LinkPolicy, *, wholly: bool) -> Polled:
    tenant = feed.tenant
    try:
        credential = credential_of(runtime, tenant, feed.credential) if feed.credential else None
        link = fetch_link(runtime, tenant, feed.url, policy, credential)
    except (TooLargeError, TooSlowError) as error:
        if not wholly:
            return Polled(feed, Answer.LARGE)
        return _failed(runtime, feed, error)
    except OutageError:
        raise
    except TenantRuntimeError as error:
        return _failed(runtime, feed, error)
    return _answered(runtime, feed, link)


def ask_now(runtime: Runtime, tenant: TenantId, feed_id: str) -> Feed:
    """Make a feed due, and return it as it then stands.

    Raises NotFoundError for no such feed, InputError for one that is paused or has ended, and StateForbidsError and
    SwitchedOffError where the tenant takes nothing in by link.
    """
    with runtime.database.tenant(tenant) as connection:
        feed = get_feed(connection, tenant, feed_id)
        if feed.status != "active":
            remedy = "`tenant-pipeline feed resume`, then it is asked at once." if feed.status == "paused" else ""
            raise InputError(f"The feed is not asked: it is {feed.status}", where=feed_id, remedy=remedy)
        _require_asking(connection, runtime, tenant)
        _ask_again(connection, feed, runtime.now())
        return get_feed(connection, tenant, feed_id)


def fetch_wholly(runtime: Runtime, tenant: TenantId, feed_id: str, *, as_of: str | None = None) -> Polled:
    """Ask a feed now, whenever it is due, with all the time it needs.

    `as_of` is the mark of the feed (see `mark_of`) when that was wanted: one that was asked since is left alone, so
    that whoever waited in line for long passes over no pause that its server wants.

    Raises as `ask_now` and `poll_feed`.
    """
    if as_of is not None:
        with runtime.database.tenant(tenant) as connection:
            feed = get_feed(connection, tenant, feed_id)
        if mark_of(feed) != as_of:
            return Polled(feed, Answer.NOT_DUE, detail="it was asked since")
    ask_now(runtime, tenant, feed_id)
    return poll_feed(runtime, tenant, feed_id, wholly=True)


def mark_of(feed: Feed) -> str:
    """What tells whether a feed was asked since: when asking it last came to an end."""
    return feed.asked_at.isoformat() if feed.asked_at else "never"


def hold_claim(runtime: Runtime, tenant: TenantId, feed_id: str) -> None:
    """Claim a feed anew that is due although a run that will ask it waits in line.

    One that is not due (by now) stays as it is.
    """
    now = runtime.now()
    with runtime.database.tenant(tenant) as connection:
        bound_waiting(connection)
        claim_feed(connection, tenant, feed_id, now, now + MARGIN)


def _answered(runtime: Runtime, feed: Feed, link: FetchedLink) -> Polled:
    with runtime.database.tenant(feed.tenant) as connection:
        newest, known = newest_versions(connection, feed)
    looked_at = before = None
    if newest is None or newest.unit_digest != link.unit.digest:
        keep_unit(runtime.raw_zone(feed.tenant), link.unit)
        looked_at = profile_of(runtime, feed, link.unit)
        before = comparable_profile(runtime, feed, known) if known else None
    with runtime.database.tenant(feed.tenant) as connection:
        now = lock_feed(connection, feed.tenant, feed.id)
        if now.url != feed.url or now.status != "active":
            return Polled(now, Answer.NOT_DUE, detail="it was changed while it was asked")
        try:
            _require_asking(connection, runtime, feed.tenant)
        except (StateForbidsError, SwitchedOffError) as error:
            return Polled(now, Answer.NOT_DUE, detail=error.what)
        newest, taken_in = newest_versions(connection, now)
        if looked_at is None or (newest is not None and newest.unit_digest == link.unit.digest):
            note_fetched(connection, feed.tenant, link)
            return Polled(_well(connection, runtime, now), Answer.UNCHANGED)
        profile, unread = looked_at
        if taken_in != known:  # one that was held was let in meanwhile
            before = taken_in.profile if taken_in else None
        reasons = reasons_to_wait(profile, before, now.expectations, unread)
        number = add_version(connection, runtime, now, link.unit, profile, reasons)
        note_fetched(connection, feed.tenant, link)
        after = _well(connection, runtime, now)
    return Polled(after, Answer.HELD if reasons else Answer.VERSION, number, "; ".join(reasons))


def _require_asking(connection: Connection, runtime: Runtime, tenant: TenantId) -> None:
    require_in_service(connection, tenant)
    require_on(connection, tenant, LINKS, runtime.now())


def _well(connection: Connection, runtime: Runtime, feed: Feed) -> Feed:
    """Note that the feed's server answered well, and when it is asked next."""
    now = runtime.now()
    connection.execute(
        """
        UPDATE runtime.feeds SET failures = 0, error = '', checked_at = %s, asked_at = %s, due_at = %s
         WHERE tenant_id = %s AND id = %s
        """,
        (now, now, feed.schedule.due_after(now, feed.id), feed.tenant, feed.id),
    )
    after = get_feed(connection, feed.tenant, feed.id)
    return alert(connection, runtime, after, "stale" if is_stale(after, now) else "")


def _failed(runtime: Runtime, asked: Feed, error: TenantRuntimeError) -> Polled:
    now = runtime.now()
    wanted = error.retry_after if isinstance(error, PassingError) else None
    with runtime.database.tenant(asked.tenant) as connection:
        feed = lock_feed(connection, asked.tenant, asked.id)
        if feed.url != asked.url or feed.status != "active":
            return Polled(feed, Answer.NOT_DUE, detail="it was changed while it was asked")
        failures = feed.failures + 1
        connection.execute(
            """
            UPDATE runtime.feeds SET failures = %s, error = %s, asked_at = %s, due_at = %s
             WHERE tenant_id = %s AND id = %s
            """,
            (failures, error.what, now, due_after_failure(now, feed.id, failures, wanted), feed.tenant, feed.id),
        )
        after = get_feed(connection, feed.tenant, feed.id)
        after = alert(connection, runtime, after, "dead" if failures >= DEAD_AFTER else feed.alerted)
    return Polled(after, Answer.FAILED, detail=error.what)


def release_claim(runtime: Runtime, tenant: TenantId, feed_id: str, since: datetime | None) -> None:
    """Let a feed be asked again whose run began at `since` and was ended before it could say how it went.

    It counts as a failure, so that a feed which ends each run that asks it is asked ever more rarely, and is called
    dead. Where asking it came to an end since, well or not, that is noted already, and it is left alone. A run
    that never began, where `since` is None, has asked nobody. Raises NotFoundError for no such feed.
    """
    with runtime.database.tenant(tenant) as connection:
        feed = get_feed(connection, tenant, feed_id)
    if since is None:
        _put_off(runtime, feed)
    elif feed.asked_at is None or feed.asked_at < since:
        _give_up(runtime, feed)


def _give_up(runtime: Runtime, feed: Feed) -> None:
    _failed(runtime, feed, TenantRuntimeError("It was ended while it was asked", where=feed.id))


def _put_off(runtime: Runtime, feed: Feed, *, away: str = "") -> Feed:
    """The feed, to be asked again soon: nothing is held against it. Of what is `away` it tells, and waits longer where
    it told of that before."""
    now = runtime.now()
    with runtime.database.tenant(feed.tenant) as connection:
        _ask_again(connection, feed, now + (LONG_PAUSE if away and feed.error == away else SHORT_PAUSE))
        if away:
            connection.execute(
                "UPDATE runtime.feeds SET error = %s, asked_at = %s WHERE tenant_id = %s AND id = %s",
                (away, now, feed.tenant, feed.id),
            )
        return get_feed(connection, feed.tenant, feed.id)


def _ask_again(connection: Connection, feed: Feed, at: datetime) -> None:
    connection.execute(
        "UPDATE runtime.feeds SET due_at = %s WHERE tenant_id = %s AND id = %s", (at, feed.tenant, feed.id)
    )

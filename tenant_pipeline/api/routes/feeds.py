"""Feeds: sources that are fetched by a schedule; their secrets and versions, and who lets in one that is held."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.language import Telling
from tenant_pipeline.api.once import OnceOnly
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import Limit, Line, OptionalReason, Reason, RoleName, Url
from tenant_pipeline.core.feed.profile import Expectations
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.intake.link.credential import Credential
from tenant_pipeline.services.feeds import versions
from tenant_pipeline.services.feeds.credentials import LONGEST_VALUE, keep_credential
from tenant_pipeline.services.feeds.feeds import (
    FEED_ROLES,
    MOST_HOURS,
    MOST_ROWS,
    NewFeed,
    add_feed,
    change_feed,
    get_feed,
    list_feeds,
    set_status,
)
from tenant_pipeline.services.feeds.polling import ask_now

router = APIRouter(prefix="/api/tenant/{tenant}/feeds", tags=["feeds"], route_class=ConditionalRoute)

FeedPath = Annotated[str, Path(pattern=r"^feed-[0-9a-f]{16}$")]
Number = Annotated[int, Path(ge=1, le=1_000_000)]
Cron = Annotated[str, StringConstraints(max_length=100, pattern=r"^[0-9A-Za-z*/,# -]+$")]
TimeZone = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")]
CredentialName = Annotated[str, StringConstraints(max_length=63, pattern=r"^([a-z0-9][a-z0-9-]*)?$")]
CredentialPath = Annotated[str, Path(max_length=63, pattern=r"^[a-z0-9][a-z0-9-]*$")]
HeaderName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9-]*$")]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=LONGEST_VALUE)]
Rows = Annotated[int, Field(ge=0, le=MOST_ROWS)]
Loss = Annotated[float, Field(ge=0, le=1)]
Hours = Annotated[int, Field(ge=1, le=MOST_HOURS)]


class Feeds(BaseModel):
    """Every feed of the tenant."""

    feeds: list[dict[str, Any]]


class WantedFeed(BaseModel):
    """A feed to add."""

    model_config = ConfigDict(extra="forbid")

    title: Line
    url: Url
    origin: Origin
    cron: Cron = "0 6 * * *"
    time_zone: TimeZone = "Asia/Bangkok"
    rights: OptionalReason = ""
    credential: CredentialName = ""
    least_rows: Rows = 0
    most_loss: Loss = 0.5
    fresh_within_hours: Hours | None = None


class ChangedFeed(BaseModel):
    """What is to change of a feed; what is not given stays. Without hours it may stay the same for ever.

    Its origin cannot change: what is no part of this is refused.
    """

    model_config = ConfigDict(extra="forbid")

    title: Line | None = None
    url: Url | None = None
    cron: Cron | None = None
    time_zone: TimeZone | None = None
    rights: OptionalReason | None = None
    credential: CredentialName | None = None
    least_rows: Rows | None = None
    most_loss: Loss | None = None
    fresh_within_hours: Hours | None = None

    def changes(self) -> dict[str, Any]:
        """What was given."""
        given = self.model_dump(exclude_unset=True)
        return {name: value for name, value in given.items() if value is not None or name == "fresh_within_hours"}


class Change(BaseModel):
    """What becomes of a feed."""

    status: Literal["active", "paused", "ended"]


class VersionDecision(BaseModel):
    """What becomes of a version that is held."""

    decision: Literal["accept", "refuse"]
    reason: Reason
    role: RoleName | None = None


class WantedCredential(BaseModel):
    """A secret that feeds are asked with: one request header, shown to one site only."""

    model_config = ConfigDict(extra="forbid")

    origin: Url = Field(description="The one site that it is shown to, such as https://feeds.example.")
    header: HeaderName = "Authorization"
    value: Secret = Field(description="What the header carries, such as `Bearer …`; no answer ever holds it.")


class KeptCredential(BaseModel):
    """A secret that is kept, without its value."""

    name: str
    origin: str
    header: str


@router.get("")
def feeds(caller: CallerOf, runtime: RuntimeOf) -> Feeds:
    """The tenant's feeds, when each is asked next, and which are dead or stale."""
    return Feeds(feeds=[feed.as_json() for feed in list_feeds(runtime, caller.tenant)])


@router.post("", status_code=201)
def add(wanted: WantedFeed, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> dict[str, Any]:
    """Add a feed. It is asked at once, and then by its schedule."""
    caller.require(FEED_ROLES)
    new = NewFeed(
        wanted.title, wanted.url, wanted.origin, Schedule(wanted.cron, wanted.time_zone),
        Expectations(wanted.least_rows, wanted.most_loss), wanted.rights, wanted.credential, wanted.fresh_within_hours,
    )  # fmt: skip
    return once.answer(caller, lambda: add_feed(runtime, caller.tenant, new, actor=caller.person).as_json(), 201)


@router.put("/credentials/{name}")
def keep_secret(name: CredentialPath, wanted: WantedCredential, caller: CallerOf, runtime: RuntimeOf) -> KeptCredential:
    """Keep a secret under a name, in place of what was there; feeds that fail with it are asked at once.

    It is written only: nothing gives it back. Sent twice, the same is kept, so that it takes no Idempotency-Key.
    """
    caller.require(FEED_ROLES)
    secret = Credential(wanted.origin, wanted.header, wanted.value.get_secret_value())
    keep_credential(runtime, caller.tenant, name, secret, actor=caller.person)
    return KeptCredential(name=name, origin=wanted.origin, header=wanted.header)


@router.get("/{feed}")
def feed(
    feed: FeedPath,
    caller: CallerOf,
    runtime: RuntimeOf,
    tell: Telling,
    limit: Limit = versions.VERSIONS_SHOWN,
    after: Annotated[int | None, Query(ge=1, le=1_000_000, description="The `next` of the page before.")] = None,
) -> dict[str, Any]:
    """A feed with a page of its versions, the newest first, and why one is held."""
    with runtime.database.tenant(caller.tenant) as connection:
        found = get_feed(connection, caller.tenant, feed)
        known = versions.versions_of(connection, found, limit=limit + 1, before=after)
    shown = known[:limit]
    return {
        **found.as_json(),
        "versions": [each.as_json(tell) for each in shown],
        "next": shown[-1].number if len(known) > limit else None,
    }


@router.patch("/{feed}")
def change(feed: FeedPath, wanted: ChangedFeed, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> dict[str, Any]:
    """Change a feed's address, times, expectations or secret. With another address it is asked at once."""
    caller.require(FEED_ROLES)
    changes = wanted.changes()
    return once.answer(
        caller, lambda: change_feed(runtime, caller.tenant, feed, changes, actor=caller.person).as_json()
    )


@router.post("/{feed}/status")
def set_feed_status(
    feed: FeedPath, wanted: Change, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly
) -> dict[str, Any]:
    """Pause a feed, let it go on, or end it for good."""
    caller.require(FEED_ROLES)
    return once.answer(
        caller, lambda: set_status(runtime, caller.tenant, feed, wanted.status, actor=caller.person).as_json()
    )


@router.post("/{feed}/poll", status_code=202)
def poll(feed: FeedPath, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> dict[str, Any]:
    """Have a feed asked now, whatever its schedule and its server's pause say; what comes of it is told by the feed.

    The daemon asks it within a quarter of a minute, and in a run of its own where it is large.
    """
    caller.require(FEED_ROLES)
    return once.answer(caller, lambda: ask_now(runtime, caller.tenant, feed).as_json(), 202)


@router.post("/{feed}/versions/{number}/decision")
def decide(
    feed: FeedPath, number: Number, wanted: VersionDecision, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly
) -> dict[str, Any]:
    """Let a version that is held flow on, or refuse it."""
    role = caller.acting_as(wanted.role, versions.DECIDING_ROLES)
    return once.answer(
        caller,
        lambda: versions.decide(
            runtime, caller.tenant, feed, number, wanted.decision, person=caller.person, role=role,
            reason=wanted.reason,
        ).as_json(),
    )  # fmt: skip

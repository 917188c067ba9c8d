"""A clock that the test sets, a server to feed from, and the steps that tests of feeds take."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.feeds.feeds import Feed, NewFeed, add_feed, get_feed
from tenant_pipeline.services.feeds.polling import Polled, ask_now, poll_feed
from tenant_pipeline.services.feeds.versions import FeedVersion, versions_of
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.statements import statements_of
from tests.integration.conftest import TwoTenants
from tests.registered import registered
from tests.unit.intake.link_server import Answer as Served
from tests.unit.intake.link_server import Server, serve

HEADER = "licence_no,venue_name_en,postcode\n"
DAILY = Schedule("0 6 * * *", "Asia/Bangkok")


@dataclass
class Clock:
    """The present, as the test has it."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass(frozen=True)
class RuntimeOnAClock(Runtime):
    """A runtime whose present the test sets."""

    clock: Clock = field(default_factory=Clock)


@pytest.fixture
def runtime(tenants: TwoTenants) -> RuntimeOnAClock:
    real = tenants.runtime
    settings = real.settings.model_copy(update={"loopback_links": True})
    return RuntimeOnAClock(settings, real.contracts, real.database, real.keys, real.objects, real.audit)


@pytest.fixture
def tenant(runtime: RuntimeOnAClock) -> TenantId:
    return registered_tenant(runtime)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as server:
        yield server


def registered_tenant(runtime: Runtime) -> TenantId:
    """A tenant with a reviewer, and with an agreement on personal data."""
    identifier = registered(runtime, f"feed-{uuid.uuid4().hex[:12]}", pdpa_agreement_ref="DPA-1")
    grant_role(runtime, identifier, person="rin", role="reviewer", granted_by="test")
    return identifier


def csv_answer(*rows: str, etag: str = "") -> Served:
    return Served(
        (HEADER + "".join(f"{row}\n" for row in rows)).encode(), headers={"ETag": f'"{etag}"'} if etag else {}
    )


def halls_answer(count: int, etag: str = "") -> Served:
    return csv_answer(*(f"PKT-{number},Hall {number},{83000 + number}" for number in range(count)), etag=etag)


def new_feed(runtime: Runtime, tenant: TenantId, url: str, **wanted: Any) -> Feed:
    """A daily feed of a regulator\'s, but for what is wanted otherwise."""
    new = NewFeed("Register of halls", url, Origin.REGULATOR, DAILY)
    return add_feed(runtime, tenant, replace(new, **wanted), actor="test")


def poll_now(runtime: RuntimeOnAClock, feed: Feed) -> Polled:
    """Ask a feed now, whenever it is due."""
    ask_now(runtime, feed.tenant, feed.id)
    return poll_feed(runtime, feed.tenant, feed.id)


def walk_through(runtime: Runtime, feed: Feed) -> None:
    """Take what a feed brought through all stages."""
    for stage in STAGES:
        run_stage(runtime, feed.tenant, feed.source_id, stage)


def names_of(runtime: Runtime, feed: Feed) -> set[str]:
    """The names that its source says now."""
    with runtime.database.tenant(feed.tenant) as connection:
        rows = statements_of(connection, feed.tenant, source=feed.source_id, property_="name", limit=1000)
    return {row["value"] for row in rows}


def stored_versions(runtime: Runtime, feed: Feed) -> list[FeedVersion]:
    with runtime.database.tenant(feed.tenant) as connection:
        return versions_of(connection, feed)


def feed_now(runtime: Runtime, feed: Feed) -> Feed:
    with runtime.database.tenant(feed.tenant) as connection:
        return get_feed(connection, feed.tenant, feed.id)

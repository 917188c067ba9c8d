"""Who waits in line for a run: tenants take turns, and a source whose run was ended comes into it again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import MOST_INTERRUPTIONS, get_source, take_up_again, waiting_sources
from tests.integration.conftest import TwoTenants
from tests.integration.test_feeds import _registered

_NUMBERS = count(1)
AFTER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


def _sources(runtime: Runtime, tenant: TenantId, number: int, status: str = "received") -> list[SourceId]:
    added = [SourceId(f"src-{next(_NUMBERS):016x}") for _ in range(number)]
    with runtime.database.tenant(tenant) as connection, connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO runtime.tenant_sources
                   (tenant_id, id, origin, unit_mode, title, unit_digest, ingest_status, authority_rank, received_by)
            VALUES (%s, %s, 'press', 'single-file', 'x', repeat('0', 64), %s, 2, 'test')
            """,
            [(tenant, each, status) for each in added],
        )
    return added


def test_a_flood_of_one_tenant_leaves_the_others_their_turn(runtime: Runtime) -> None:
    flood, small = _registered(runtime), _registered(runtime)
    first = _sources(runtime, flood, 300)
    (single,) = _sources(runtime, small, 1)
    line = [each for each in waiting_sources(runtime, 1000, of_a_tenant=20) if each.tenant in (flood, small)]
    assert [each.id for each in line if each.tenant == flood] == first[:20]
    assert [each.id for each in line].index(single) <= 1
    assert single in [each.id for each in waiting_sources(runtime, 100, of_a_tenant=20)]


def test_a_source_whose_run_was_ended_comes_into_line_again_and_is_stopped_when_that_goes_on(runtime: Runtime) -> None:
    tenant = _registered(runtime)
    (source,) = _sources(runtime, tenant, 1, "running")
    became = []
    for _ in range(MOST_INTERRUPTIONS + 1):
        became.append(take_up_again(runtime, tenant, source, run_id="r", asked_at=AFTER, again=True))
        with runtime.database.tenant(tenant) as connection:
            queued = get_source(connection, tenant, source).queued_at
            connection.execute("UPDATE runtime.tenant_sources SET ingest_status = 'running'")
    assert became == [*["waiting"] * MOST_INTERRUPTIONS, "stopped"]
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute("SELECT subject FROM runtime.audit_log WHERE action = 'stage.interrupted'").fetchall()
        connection.execute("UPDATE runtime.tenant_sources SET ingest_status = 'waiting'")
    assert [row["subject"] for row in rows] == [source] * len(became)
    assert take_up_again(runtime, tenant, source, run_id="r", asked_at=queued, again=True) is None


def test_a_source_that_is_through_or_anothers_is_left_alone_and_a_cancelled_one_is_stopped(runtime: Runtime) -> None:
    tenant, other = _registered(runtime), _registered(runtime)
    (done,) = _sources(runtime, tenant, 1, "assembled")
    (begun,) = _sources(runtime, tenant, 1, "running")
    assert take_up_again(runtime, tenant, done, run_id="r", asked_at=AFTER, again=True) is None
    assert take_up_again(runtime, other, begun, run_id="r", asked_at=AFTER, again=True) is None
    assert take_up_again(runtime, tenant, begun, run_id="r", asked_at=AFTER, again=False) == "stopped"

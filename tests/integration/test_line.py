"""Who waits in line for a run: tenants take turns, and a source whose run was ended comes into it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import ProcessLostError
from tenant_pipeline.core.setback import LONGEST_WAIT, MOST_LOSSES_ALONE, Ending
from tenant_pipeline.core.tenancy import SourceId, TenantId, from_partition_key, partition_key
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors import uploads as sensor
from tenant_pipeline.services.code_version import CONFLICT_MATRIX, COVERAGE_SCORE
from tenant_pipeline.services.halts import put_back
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_queue import forget_hindrance, waiting_sources
from tenant_pipeline.services.sources import Source, get_source
from tenant_pipeline.services.stage_records import StageRecord, insert
from tenant_pipeline.services.unjudged import is_unjudged, unjudged_in_draft
from tests.integration.conftest import TwoTenants
from tests.integration.feed_steps import registered_tenant
from tests.integration.line_steps import new_sources

ERROR = ProcessLostError("It was ended", where="here", remedy="Look.")
AFTER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


def test_a_flood_of_one_tenant_leaves_the_others_their_turn(runtime: Runtime) -> None:
    flood, small = registered_tenant(runtime), registered_tenant(runtime)
    first = new_sources(runtime, flood, 300)
    (single,) = new_sources(runtime, small, 1)
    line = [each for each in waiting_sources(runtime, 1000, of_a_tenant=20) if each.tenant in (flood, small)]
    assert [each.id for each in line if each.tenant == flood] == first[:20]
    assert [each.id for each in line].index(single) <= 1
    assert single in [each.id for each in waiting_sources(runtime, 100, of_a_tenant=20)]


def test_a_source_is_asked_for_once_each_time_it_is_put_in_line_also_where_others_come_before_it_meanwhile(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = registered_tenant(runtime)
    first, second = new_sources(runtime, tenant, 2)
    cursor: str | None = None
    with dg.DagsterInstance.ephemeral() as instance:

        def asked_for(source: SourceId) -> bool:
            """Whether the next tick, which sees this source alone, asks for its run."""
            nonlocal cursor
            monkeypatch.setattr(sensor, "waiting_sources", lambda *_, **__: [_how(runtime, tenant, source)])
            context = dg.build_sensor_context(instance, cursor=cursor, resources={"runtime": RuntimeAccess(runtime)})
            tick = sensor.uploads.evaluate_tick(context)
            cursor = tick.cursor
            return bool(tick.run_requests)

        assert [asked_for(each) for each in (first, second, first, second)] == [True, True, False, False]
        put_back(runtime, tenant, first, Ending.ADRIFT, ERROR, run_id="", asked_at=AFTER)
        assert [asked_for(each) for each in (first, second)] == [True, False]


def test_what_comes_for_the_first_time_costs_no_look_at_all_partitions_and_what_comes_again_joins_its_neighbours(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = registered_tenant(runtime)
    one, two, three, four = (partition_key(tenant, each) for each in new_sources(runtime, tenant, 4))
    looks: list[str] = []
    with dg.DagsterInstance.ephemeral() as instance:

        def ranges(*keys: str) -> list[tuple[str, str]]:
            """The first and the last partition of each run that a tick asks for that sees these sources."""
            line = [_how(runtime, *from_partition_key(key)) for key in keys]
            monkeypatch.setattr(sensor, "waiting_sources", lambda *_, **__: line)
            context = dg.build_sensor_context(instance, resources={"runtime": RuntimeAccess(runtime)})
            tick = sensor.uploads.evaluate_tick(context)
            for request in tick.dynamic_partitions_requests or ():
                instance.add_dynamic_partitions(TENANT_SOURCE, request.partition_keys)
            tags = [each.tags for each in tick.run_requests or ()]
            return [(each[ASSET_PARTITION_RANGE_START_TAG], each[ASSET_PARTITION_RANGE_END_TAG]) for each in tags]

        def listed(kind: str) -> Sequence[str]:
            looks.append(kind)
            return every(kind)

        every = instance.get_dynamic_partitions
        monkeypatch.setattr(instance, "get_dynamic_partitions", listed)
        assert (ranges(one), ranges(two, three), looks) == ([(one, one)], [(two, three)], [])
        assert ranges(one, three, four) == [(one, one), (three, four)]
        assert looks == [TENANT_SOURCE]


def _how(runtime: Runtime, tenant: TenantId, source: SourceId) -> Source:
    with runtime.database.tenant(tenant) as connection:
        return get_source(connection, tenant, source)


def _begin(runtime: Runtime, tenant: TenantId) -> None:
    with runtime.database.tenant(tenant) as connection:
        connection.execute("UPDATE runtime.tenant_sources SET ingest_status = 'running'")


def test_a_source_whose_run_was_ended_is_run_by_itself_and_stopped_when_that_goes_on(runtime: Runtime) -> None:
    tenant = registered_tenant(runtime)
    (source,) = new_sources(runtime, tenant, 1, "running")
    became = []
    for _ in range(1 + MOST_LOSSES_ALONE):
        became.append(put_back(runtime, tenant, source, Ending.LOST, ERROR, run_id="r", asked_at=AFTER))
        found = _how(runtime, tenant, source)
        assert found.alone
        assert found.hindrance is not None
        assert found.hindrance["code"] == ERROR.code
        _begin(runtime, tenant)
    assert became == [*["waiting"] * MOST_LOSSES_ALONE, "stopped"]
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            "SELECT action, subject FROM runtime.audit_log WHERE action IN ('stage.interrupted', 'stage.stopped')"
        ).fetchall()
        connection.execute("UPDATE runtime.tenant_sources SET ingest_status = 'waiting'")
    assert [row["action"] for row in rows] == [*["stage.interrupted"] * len(became), "stage.stopped"]
    assert put_back(runtime, tenant, source, Ending.LOST, ERROR, run_id="r", asked_at=found.queued_at) is None


def test_what_is_away_is_no_reason_to_stop_a_source_however_often_and_it_is_tried_at_growing_intervals(
    runtime: Runtime,
) -> None:
    tenant = registered_tenant(runtime)
    (source,) = new_sources(runtime, tenant, 1)
    waits = []
    for _ in range(12):
        assert put_back(runtime, tenant, source, Ending.OUTAGE, ERROR, run_id="r") == "waiting"
        found = _how(runtime, tenant, source)
        assert found.not_before is not None
        waits.append(round((found.not_before - found.queued_at).total_seconds()))
    assert not found.alone
    assert waits[:3] == [15, 30, 60]
    assert waits[-1] == LONGEST_WAIT.total_seconds()
    assert source not in [each.id for each in waiting_sources(runtime, 1000, of_a_tenant=100)]
    with runtime.database.tenant(tenant) as connection:
        connection.execute("UPDATE runtime.tenant_sources SET not_before = now()")
    assert source in [each.id for each in waiting_sources(runtime, 1000, of_a_tenant=100)]
    with runtime.database.tenant(tenant) as connection:
        forget_hindrance(connection, tenant, source, through=False)
    found = _how(runtime, tenant, source)
    assert (found.hindrance, found.not_before) == (None, None)


def test_a_source_that_is_through_or_anothers_is_left_alone_and_a_cancelled_one_is_stopped(runtime: Runtime) -> None:
    tenant, other = registered_tenant(runtime), registered_tenant(runtime)
    (begun,) = new_sources(runtime, tenant, 1, "running")
    (through,) = new_sources(runtime, tenant, 1, "assembled")
    with runtime.database.tenant(tenant) as connection:
        insert(connection, tenant, through, _record(CONFLICT_MATRIX))
    assert put_back(runtime, other, begun, Ending.LOST, ERROR, run_id="r", asked_at=AFTER) is None
    assert put_back(runtime, tenant, begun, Ending.CANCELLED, ERROR, run_id="r", asked_at=AFTER) == "stopped"
    with runtime.database.tenant(tenant) as connection:
        insert(connection, tenant, through, _record("coverage_score"))
    assert put_back(runtime, tenant, through, Ending.LOST, ERROR, run_id="r", asked_at=AFTER) is None


def test_a_source_that_was_assembled_and_not_judged_before_its_run_was_ended_is_put_in_line(runtime: Runtime) -> None:
    tenant = registered_tenant(runtime)
    (source,) = new_sources(runtime, tenant, 1, "assembled")
    with runtime.database.tenant(tenant) as connection:
        insert(connection, tenant, source, _record("coverage_score"))
    assert put_back(runtime, tenant, source, Ending.LOST, ERROR, run_id="r", asked_at=AFTER) is None
    with runtime.database.tenant(tenant) as connection:
        insert(connection, tenant, source, _record("assemble"))
    assert put_back(runtime, tenant, source, Ending.LOST, ERROR, run_id="r", asked_at=AFTER) == "waiting"


def test_what_was_assembled_last_is_what_stands_also_where_the_clock_was_set_back_meanwhile(runtime: Runtime) -> None:
    tenant = registered_tenant(runtime)
    (source,) = new_sources(runtime, tenant, 1, "assembled")
    with runtime.database.tenant(tenant) as connection:
        for stage in ("assemble", CONFLICT_MATRIX, COVERAGE_SCORE):
            connection.execute(
                """
                INSERT INTO runtime.stage_runs
                       (tenant_id, source_id, stage, input_digest, code_version, output_digest, counts, rows_in,
                        rows_out, rows_rejected, rows_quarantined, reject_codes, seconds, finished_at)
                VALUES (%s, %s, %s, %s, '1', %s, '[]', 0, 0, 0, 0, '{}', 0, now() + interval '1 hour')
                """,
                (tenant, source, stage, "0" * 64, "0" * 64),
            )
        assert not is_unjudged(connection, tenant, source)
        insert(connection, tenant, source, _record("assemble", "1"))
        assert is_unjudged(connection, tenant, source)
        assert [each.source for each in unjudged_in_draft(connection, tenant)] == [source]
        for stage in (CONFLICT_MATRIX, COVERAGE_SCORE):
            insert(connection, tenant, source, _record(stage, "1"))
        assert not is_unjudged(connection, tenant, source)


def _record(stage: str, digit: str = "0") -> StageRecord:
    digest = Sha256(digit * 64)
    return StageRecord(stage, digest, "1", digest, (), {}, 0.0)

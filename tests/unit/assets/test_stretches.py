"""A range names every partition between its ends, so only neighbours may share one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.sensors.uploads import HEAD_OF_LINE, heads_apart, run_request, stretches, turns
from tenant_pipeline.services.sources import Source


def _source(number: int) -> Source:
    return Source(
        tenant=TenantId("a-tenant"),
        id=SourceId(f"src-{number:016x}"),
        origin=Origin.PRESS,
        unit_mode=UnitMode.SINGLE_FILE,
        title="",
        unit_digest=Sha256("0" * 64),
        rights="",
        ingest_stage="",
        ingest_status="received",
        coverage_score=None,
        conflicts_count=0,
        authority_rank=3,
        observed_at=None,
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        queued_at=datetime(2026, 1, 1, tzinfo=UTC),
        version=1,
    )


@given(st.sets(st.integers(0, 60)))
def test_every_source_is_in_one_stretch_and_no_stretch_has_a_gap(waiting: set[int]) -> None:
    positions = {f"a-tenant|src-{number:016x}": number for number in range(61)}
    found = stretches([_source(number) for number in waiting], positions)
    numbers = [[int(source.id[4:], 16) for source in stretch] for stretch in found]
    assert sorted(number for stretch in numbers for number in stretch) == sorted(waiting)
    for stretch in numbers:
        assert stretch == list(range(stretch[0], stretch[0] + len(stretch)))
    for left, right in pairwise(numbers):
        assert right[0] > left[-1] + 1


def test_the_heads_of_several_tenants_lines_get_runs_of_their_own() -> None:
    flood = [_source(number) for number in range(200)]
    single = replace(_source(500), tenant=TenantId("other-tenant"))
    line = [flood[0], single, *flood[1:]]
    heads, behind = heads_apart(line, turns(line))
    assert heads == [flood[0], single, *flood[1:HEAD_OF_LINE]]
    assert behind == flood[HEAD_OF_LINE:]
    assert heads_apart(flood, turns(line)) == [flood]


def test_a_turn_is_how_many_of_the_same_tenant_stand_before() -> None:
    flood = [_source(number) for number in range(3)]
    single = replace(_source(500), tenant=TenantId("other-tenant"))
    assert list(turns([*flood, single]).values()) == [0, 1, 2, 0]


def test_a_run_is_asked_for_again_only_when_the_source_was_put_in_line_again() -> None:
    source = _source(1)
    again = replace(source, queued_at=source.queued_at + timedelta(seconds=1))
    assert run_request([source]).run_key == run_request([_source(1)]).run_key
    assert run_request([source]).run_key != run_request([again]).run_key


def test_a_source_that_is_run_by_itself_shares_its_stretch_with_nobody() -> None:
    line = [replace(_source(number), alone=number in (1, 2)) for number in range(5)]
    positions = {f"a-tenant|src-{number:016x}": number for number in range(5)}
    assert [len(stretch) for stretch in stretches(line, positions)] == [1, 1, 1, 2]
    assert run_request(line[:1]).tags["dagster/max_retries"] == "0"

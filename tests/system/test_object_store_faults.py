"""The bucket answers 500 or 503, late, half or not at all: nothing is lost or half-written, and people are told."""

from __future__ import annotations

import hashlib
import itertools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from tenant_pipeline.api.problems import status_of
from tenant_pipeline.assets.materialise import ENDED_BY_TAG
from tenant_pipeline.assets.normalisation import receive
from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.cli.doctor.files import objects
from tenant_pipeline.cli.doctor.finding import Patient
from tenant_pipeline.core.errors import StoreUnavailableError, TenantRuntimeError
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.services.feeds.feeds import NewFeed, add_feed
from tenant_pipeline.services.feeds.polling import poll_feed
from tenant_pipeline.services.feeds.versions import versions_of
from tenant_pipeline.services.lineage import every_record
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.observation import object_store
from tenant_pipeline.services.observation.figures import read_figures
from tenant_pipeline.services.runtime import Runtime, connect, open_runtime
from tenant_pipeline.services.sources import Source, add_source, get_source, list_sources
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.embedded_postgres import EmbeddedPostgres
from tests.api.conftest import serving
from tests.bucket_server import BucketServer, Fault, Misbehaviour, bucket_server, its_environment
from tests.installed import migrated_home
from tests.integration.feed_steps import Clock
from tests.registered import registered
from tests.unit.intake.link_server import Answer, serve

pytestmark = pytest.mark.slow

TENANT = TenantId("bucket-faults")
RETRY_SECONDS, REQUEST_SECONDS = 1.5, 1.0
GIVEN_UP_WITHIN_SECONDS = 15
"""After the last try is over: far above what it takes, and far below waiting for ever."""
CUT, HANG, TRUNCATE, SHORT, SLOW = (
    Misbehaviour.CUT, Misbehaviour.HANG, Misbehaviour.TRUNCATE, Misbehaviour.SHORT, Misbehaviour.SLOW,
)  # fmt: skip


@dataclass(frozen=True)
class Home:
    """An installation whose objects lie in a bucket, and the relay before it."""

    runtime: Runtime
    bucket: BucketServer


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with (
        migrated_home() as home,
        bucket_server(tmp_path_factory.mktemp("s3")) as bucket,
        its_environment(bucket),
    ):
        settings = Settings(
            home=home,
            object_store_url=bucket.url,
            object_store_retry_seconds=RETRY_SECONDS,
            object_store_request_seconds=REQUEST_SECONDS,
            loopback_links=True,
        )
        with open_runtime(settings) as runtime:
            registered(runtime, TENANT, pdpa_agreement_ref="D")
        with EmbeddedPostgres(settings.postgres_directory), connect(settings) as runtime:
            yield Home(runtime, bucket)
            _assert_whole(runtime)


@pytest.fixture
def halls(tmp_path: Path) -> Callable[[], Path]:
    numbers = itertools.count(time.time_ns())

    def new() -> Path:
        number = next(numbers)
        file = tmp_path / f"{number}.csv"
        rows = "".join(f"K-{number}-{row},Hall {number} {row},{83000 + row}\n" for row in range(300))
        file.write_text(f"licence_no,venue_name_en,postcode\n{rows}")
        return file

    return new


@contextmanager
def _faulty(bucket: BucketServer, fault: Fault) -> Iterator[list[str]]:
    """In the block requests meet the fault; gives the methods of those that did."""
    met: list[str] = []

    def noted(method: str, path: str, number: int) -> int | Misbehaviour | None:
        found = fault(method, path, number)
        if found is not None:
            met.append(method)
        return found

    bucket.fault = noted
    try:
        yield met
    finally:
        bucket.fault = None


def _add(home: Home, file: Path) -> SourceId:
    return add_source(
        home.runtime, TENANT, origin=Origin.PRESS, unit_mode=UnitMode.SINGLE_FILE, places=[str(file)], title="Halls",
        actor="test",
    ).id  # fmt: skip


def _source(home: Home, source: SourceId) -> Source:
    with home.runtime.database.tenant(TENANT) as connection:
        return get_source(connection, TENANT, source)


def _status(home: Home, source: SourceId) -> str:
    return _source(home, source).ingest_status


def _ran(home: Home, source: SourceId) -> list[Stage]:
    with home.runtime.database.tenant(TENANT) as connection:
        known = get_source(connection, TENANT, source)
    return [Stage(record.stage) for record in every_record(home.runtime, known)]


def _names(home: Home, source: SourceId) -> int:
    with home.runtime.database.tenant(TENANT) as connection:
        row: Any = connection.execute(
            "SELECT count(*) AS n FROM runtime.statement_facts WHERE source_id = %s AND property = 'name'", (source,)
        ).fetchone()
    return int(row["n"])


def _assert_whole(runtime: Runtime) -> None:
    """Every file that the bucket holds of the tenant is what its name says, to the last byte; and so is the log."""
    for zone in (runtime.raw_zone(TENANT), runtime.stage_store(TENANT).plain):
        for digest, _, _ in zone.stored():
            with zone.open(digest) as stream:
                assert hashlib.sha256(stream.read()).hexdigest() == digest
    with runtime.database.administration() as connection:
        report = runtime.audit.verify(connection, TENANT)
    assert report.intact, report.problem


def _by_turns(*faults: int | Misbehaviour, every: int = 3) -> Fault:
    """Each `every`-th request meets the next of the faults; a try that follows one is let through."""
    turns = itertools.cycle(faults)
    numbers = itertools.count(1)
    return lambda method, path, number: next(turns) if next(numbers) % every == 0 else None


@pytest.mark.parametrize(
    "faults", [(500, 503, CUT), (TRUNCATE,), (SLOW, 503)], ids=["5xx-and-cut", "truncated", "slow"]
)
def test_a_source_goes_through_all_stages_though_requests_fail_and_are_tried_again(
    home: Home, halls: Callable[[], Path], faults: tuple[int | Misbehaviour, ...]
) -> None:
    with _faulty(home.bucket, _by_turns(*faults)) as met:
        source = _add(home, halls())
        for stage in STAGES:
            run_stage(home.runtime, TENANT, source, stage)
    assert {"GET", "PUT"} <= set(met)
    assert _ran(home, source) == list(STAGES)
    assert _names(home, source) == 300


def test_a_request_that_hangs_is_ended_and_the_next_try_gets_through(home: Home, halls: Callable[[], Path]) -> None:
    seen: set[str] = set()

    def first_of_each(method: str, path: str, number: int) -> Misbehaviour | None:
        return None if method in seen or seen.add(method) else HANG  # type: ignore[func-returns-value]

    with _faulty(home.bucket, first_of_each) as met:
        source = _add(home, halls())
        for stage in STAGES:
            run_stage(home.runtime, TENANT, source, stage)
    assert {"GET", "PUT", "HEAD"} <= set(met)
    assert _ran(home, source) == list(STAGES)


@pytest.mark.parametrize(
    ("stage", "method", "fault"),
    [
        (Stage.RECEIVE, "PUT", 503), (Stage.EXTRACT, "PUT", HANG), (Stage.ASSEMBLE, "PUT", TRUNCATE),
        (Stage.ASSEMBLE, "GET", 500), (Stage.EXTRACT, "GET", HANG), (Stage.RECEIVE, "GET", SHORT),
    ],
    ids=["receive-writes-503", "extract-writes-hang", "assemble-writes-truncated", "assemble-reads-500",
         "extract-reads-hang", "receive-reads-short"],
)  # fmt: skip
def test_a_stage_that_the_bucket_fails_ends_in_time_says_why_leaves_nothing_and_is_run_again(
    home: Home, halls: Callable[[], Path], stage: Stage, method: str, fault: int | Misbehaviour,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    source = _add(home, halls())
    before = STAGES[: STAGES.index(stage)]
    for each in before:
        run_stage(home.runtime, TENANT, source, each)
    began = time.monotonic()
    with (
        caplog.at_level(logging.ERROR),
        _faulty(home.bucket, lambda asked, path, number: fault if asked == method else None) as met,
        pytest.raises(StoreUnavailableError) as caught,
    ):
        run_stage(home.runtime, TENANT, source, stage)
    assert time.monotonic() - began < GIVEN_UP_WITHIN_SECONDS
    assert met
    assert caught.value.where == "TENANT_RUNTIME_OBJECT_STORE_URL"
    assert "run again" in caught.value.remedy
    assert "the object store does not answer" in caplog.text
    assert _ran(home, source) == list(before)
    assert _status(home, source) == "waiting", "it is no fault of the source, which is in line again"
    for each in STAGES:
        run_stage(home.runtime, TENANT, source, each)
    assert _ran(home, source) == list(STAGES)
    assert _names(home, source) == 300


def test_a_source_that_the_bucket_fails_again_and_again_stays_in_line_and_is_tried_at_growing_intervals(
    home: Home, halls: Callable[[], Path]
) -> None:
    source = _add(home, halls())
    waits = []
    with _faulty(home.bucket, lambda method, path, number: 503):
        for _ in range(3):
            with pytest.raises(StoreUnavailableError):
                run_stage(home.runtime, TENANT, source, Stage.RECEIVE)
            found = _source(home, source)
            assert found.ingest_status == "waiting"
            assert found.not_before is not None
            waits.append(round((found.not_before - found.queued_at).total_seconds()))
            assert found.hindrance is not None
            assert found.hindrance["code"] == "object-store-unavailable"
    assert waits == [15, 30, 60]
    run_stage(home.runtime, TENANT, source, Stage.RECEIVE)
    assert _ran(home, source) == [Stage.RECEIVE]
    assert _source(home, source).hindrance is None


def test_what_is_handed_in_while_the_bucket_is_away_is_refused_whole(home: Home, halls: Callable[[], Path]) -> None:
    before, file = len(list_sources(home.runtime, TENANT)), halls()
    for fault in (503, TRUNCATE):
        with (
            _faulty(home.bucket, lambda method, path, number, fault=fault: fault if method == "PUT" else None),
            pytest.raises(StoreUnavailableError) as caught,
        ):
            _add(home, file)
        assert status_of(caught.value) == 503
        assert len(list_sources(home.runtime, TENANT)) == before
    assert _add(home, file)


def test_a_feed_that_is_asked_while_the_bucket_is_away_is_asked_again_and_its_version_comes_once(home: Home) -> None:
    clock = Clock()
    runtime = replace(home.runtime, clock=clock)
    with serve() as server:
        url = server.answer("/k", Answer(b"licence_no,venue_name_en\nK-1,Hall\n"))
        wanted = NewFeed("Register", url, Origin.REGULATOR, Schedule("0 * * * *", "UTC"))
        feed = add_feed(runtime, TENANT, wanted, actor="test")
        with _faulty(home.bucket, lambda method, path, number: 503 if method == "PUT" else None):
            polled = poll_feed(runtime, TENANT, feed.id)
        assert (str(polled.answer), "object store" in polled.detail) == ("failed", True)
        with runtime.database.tenant(TENANT) as connection:
            assert versions_of(connection, feed) == []
        clock.forward(minutes=40)
        assert str(poll_feed(runtime, TENANT, feed.id).answer) == "version"
        with runtime.database.tenant(TENANT) as connection:
            assert len(versions_of(connection, feed)) == 1


def test_a_run_over_many_sources_ends_with_the_first_that_the_bucket_fails(
    home: Home, halls: Callable[[], Path]
) -> None:
    """Each of the others would wait as long, one after the other."""
    sources = sorted(_add(home, halls()) for _ in range(3))
    keys = [partition_key(TENANT, each) for each in sources]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        with _faulty(home.bucket, lambda method, path, number: 503) as met:
            result = dg.materialize(
                [receive],
                instance=instance,
                resources={"runtime": RuntimeAccess(home.runtime)},
                tags={"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]},
                raise_on_error=False,
            )
        (failure,) = [event for event in result.all_events if event.is_step_failure]
        run = instance.get_run_by_id(result.run_id)
    assert met
    assert "object store" in str(failure.step_failure_data.error)
    assert [_status(home, each) for each in sources] == ["waiting"] * 3
    assert [_source(home, each).alone for each in sources] == [False] * 3
    assert run is not None
    assert run.tags[ENDED_BY_TAG] == "outage"


@pytest.mark.parametrize("fault", [503, HANG], ids=str)
def test_readiness_metrics_and_doctor_tell_within_seconds_that_the_bucket_is_away(
    home: Home, fault: int | Misbehaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "PATIENCE_SECONDS", 1.0)
    patient = Patient(home.runtime.settings, home.runtime.database.conninfo(), lives=True)
    slow = replace(home.runtime, settings=home.runtime.settings.model_copy(
        update={"object_store_retry_seconds": 280, "object_store_request_seconds": 280}
    ))  # fmt: skip

    def answers() -> float:
        (found,) = [each.value for each in read_figures(slow) if each.name == "tenant_runtime_object_store_answers"]
        return found

    with serving(slow) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        assert client.get("/api/readyz").status_code == 200
        assert answers() == 1
        assert str(objects(patient).verdict) == "fine"
        with _faulty(home.bucket, lambda method, path, number: fault):
            began = time.monotonic()
            ready = client.get("/api/readyz")
            assert (ready.status_code, ready.json()["code"]) == (503, "not-ready-objects")
            assert ready.json()["remedy"]
            assert answers() == 0
            with pytest.raises(TenantRuntimeError) as caught:
                objects(patient)
            assert caught.value.remedy
            assert time.monotonic() - began < 3 * GIVEN_UP_WITHIN_SECONDS
        assert client.get("/api/healthz").status_code == 200
        assert client.get("/api/readyz").status_code == 200
        assert answers() == 1

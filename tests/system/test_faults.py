"""The database goes away, the disk fills up, the clock jumps: nothing is lost, doubled or half-written afterwards."""

from __future__ import annotations

import base64
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.assets.materialise import ENDED_BY_TAG
from tenant_pipeline.assets.normalisation import receive
from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.core.errors import DatabaseUnavailableError, MachineExhaustedError
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.setback import Setback, set_back
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors.ended_runs import ended_runs
from tenant_pipeline.sensors.uploads import NORMALISE_SOURCES
from tenant_pipeline.services import halts, normalisation, patience
from tenant_pipeline.services.feeds import polling
from tenant_pipeline.services.feeds.feeds import Feed, NewFeed, add_feed, get_feed
from tenant_pipeline.services.feeds.polling import Answer, due_feeds, poll_feed
from tenant_pipeline.services.feeds.versions import versions_of
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.observation.figures import read_figures
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime, connect, open_runtime, system_clock
from tenant_pipeline.services.sources import Source, add_source, get_source, list_sources
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.embedded_postgres import EmbeddedPostgres
from tests.api.conftest import serving
from tests.installed import migrated_home
from tests.integration.feed_steps import Clock
from tests.registered import registered
from tests.system.small_disk import small_disk
from tests.unit.intake.link_server import Answer as Served
from tests.unit.intake.link_server import Server, serve

pytestmark = pytest.mark.slow

TENANT = TenantId("fault-test")
HEADER = "licence_no,venue_name_en,postcode\n"
HOURLY = Schedule("0 * * * *", "UTC")
METRICS_TOKEN = "shown-by-who-watches"
UPLOAD_ROUTE = "/api/tenant/{tenant}/uploads/{upload}"
TUS = {"Tus-Resumable": "1.0.0"}


@dataclass
class Database:
    """An embedded database that can be killed as a machine kills it, and started again."""

    server: EmbeddedPostgres

    def kill(self) -> None:
        process = self.server._process
        assert process is not None
        process.send_signal(signal.SIGKILL)
        process.wait()

    def start_again(self) -> None:
        self.server.stop()
        self.server.start()


@dataclass
class Home:
    """An installation on a clock of its own."""

    runtime: Runtime
    database: Database
    clock: Clock


@pytest.fixture(scope="module")
def installed() -> Iterator[tuple[Runtime, Database]]:
    with migrated_home() as home:
        settings = Settings(home=home, loopback_links=True, metrics_token=SecretStr(METRICS_TOKEN))
        with open_runtime(settings) as runtime:
            registered(runtime, TENANT, pdpa_agreement_ref="D")
        with EmbeddedPostgres(settings.postgres_directory) as server, connect(settings) as runtime:
            yield runtime, Database(server)


@pytest.fixture
def home(installed: tuple[Runtime, Database]) -> Home:
    """The installation, in which it is the present again."""
    (runtime, database), clock = installed, Clock()
    return Home(replace(runtime, clock=clock), database, clock)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as server:
        yield server


def _halls(*names: str) -> Served:
    return Served((HEADER + "".join(f"K-{name},{name},83000\n" for name in names)).encode())


def _feed(home: Home, url: str) -> Feed:
    wanted = NewFeed("Register", url, Origin.REGULATOR, HOURLY)
    return add_feed(home.runtime, TENANT, wanted, actor="test")


def _through(home: Home, source: SourceId, went_through: list[Stage] | None = None) -> None:
    for stage in STAGES:
        run_stage(home.runtime, TENANT, source, stage)
        if went_through is not None:
            went_through.append(stage)


def _rows(home: Home, query: str, *parameters: Any) -> list[dict[str, Any]]:
    with home.runtime.database.tenant(TENANT) as connection:
        return connection.execute(query, parameters).fetchall()


def _names(home: Home, source: SourceId) -> set[str]:
    query = "SELECT value FROM runtime.statement_facts WHERE source_id = %s AND property = 'name'"
    return {row["value"] for row in _rows(home, query, source)}


def _assert_intact(home: Home) -> None:
    with home.runtime.database.administration() as connection:
        report = home.runtime.audit.verify(connection, TENANT)
    assert report.intact, report.problem


@contextmanager
def _database_killed_before(home: Home, place: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In the block the database is killed, once, when it comes to `name`; afterwards it runs again."""
    real: Callable[..., Any] = getattr(place, name)
    killed = []

    def after_the_kill(*given: Any, **named: Any) -> Any:
        if not killed:
            killed.append(True)
            home.database.kill()
        return real(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(place, name, after_the_kill)
        with pytest.raises((psycopg.Error, DatabaseUnavailableError)):
            yield
    assert killed
    assert _figure(home, "tenant_runtime_figures_read") == 0
    home.database.start_again()
    assert _figure(home, "tenant_runtime_figures_read") == 1


def _by_the_machine(runtime: Runtime) -> Runtime:
    """The same runtime, on the machine's own clock."""
    return replace(runtime, clock=system_clock)


def _figure(home: Home, name: str, **labels: str) -> float:
    """What the metrics say of it now; 0 where they say nothing."""
    told = [each.value for each in read_figures(home.runtime) if each.name == name and each.labels == labels]
    return sum(told)


def test_a_database_that_is_killed_in_the_middle_of_polling_and_of_each_kind_of_stage_loses_and_doubles_nothing(
    home: Home, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    feed = _feed(home, server.answer("/k", _halls("a", "b"), _halls("a", "b"), _halls("b", "c")))
    with _database_killed_before(home, polling, "add_version", monkeypatch):
        poll_feed(home.runtime, TENANT, feed.id)
    assert _rows(home, "SELECT * FROM runtime.feed_versions WHERE feed_id = %s", feed.id) == []
    home.clock.forward(minutes=40)
    assert poll_feed(home.runtime, TENANT, feed.id).answer is Answer.VERSION
    for stage in STAGES:
        if stage in (Stage.RECEIVE, Stage.VALIDATE, Stage.LINK, Stage.ASSEMBLE):
            with _database_killed_before(home, normalisation, "_keep", monkeypatch):
                run_stage(home.runtime, TENANT, feed.source_id, stage)
            assert DatabaseUnavailableError.code in _codes(caplog)
            caplog.clear()
        assert not run_stage(home.runtime, TENANT, feed.source_id, stage).repeated
    assert _names(home, feed.source_id) == {"a", "b"}
    home.clock.forward(hours=2)
    assert poll_feed(home.runtime, TENANT, feed.id).answer is Answer.VERSION
    _through(home, feed.source_id)
    assert _names(home, feed.source_id) == {"b", "c"}
    with home.runtime.database.tenant(TENANT) as connection:
        assert [each.number for each in versions_of(connection, feed)] == [2, 1]
        assert get_source(connection, TENANT, feed.source_id).version == 2
    records = _rows(home, "SELECT count(*) AS records FROM runtime.stage_runs WHERE source_id = %s", feed.source_id)
    assert records == [{"records": 18}]
    _assert_intact(home)


def _codes(caplog: pytest.LogCaptureFixture) -> set[str]:
    """The codes that the log names."""
    return {record.fields["code"] for record in caplog.records if "code" in getattr(record, "fields", {})}


def test_a_run_whose_database_goes_away_waits_for_it_and_leaves_its_sources_in_line(
    home: Home, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The database is there again while the run still waits: no source is stopped, and none is run by itself."""
    feeds = [_feed(home, server.answer(f"/w{number}", _halls(f"w{number}"))) for number in range(3)]
    for feed in feeds:
        assert poll_feed(home.runtime, TENANT, feed.id).answer is Answer.VERSION
    keys = sorted(partition_key(TENANT, feed.source_id) for feed in feeds)
    real = normalisation._keep
    kept: list[SourceId] = []

    def killed_at_the_second(connection: Any, runtime: Runtime, source: Source, *given: Any) -> Any:
        kept.append(source.id)
        if len(kept) == 2:
            home.database.kill()
        return real(connection, runtime, source, *given)

    waiting = SimpleNamespace(monotonic=time.monotonic, sleep=lambda seconds: home.database.start_again())
    monkeypatch.setattr(normalisation, "_keep", killed_at_the_second)
    monkeypatch.setattr(patience, "time", waiting)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
        # It goes by the machine's clock, as the database does: what was put in line since the run began is not its own.
        resources = {"runtime": RuntimeAccess(_by_the_machine(home.runtime))}
        result = dg.materialize([receive], instance=instance, resources=resources, tags=tags, raise_on_error=False)
        run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert (result.success, run.tags[ENDED_BY_TAG]) == (False, "outage")
    assert "the run waits for it" in caplog.text
    with home.runtime.database.tenant(TENANT) as connection:
        found = [get_source(connection, TENANT, feed.source_id) for feed in feeds]
    assert [(each.ingest_status, each.alone) for each in found] == [("waiting", False)] * 3
    assert _figure(home, "tenant_runtime_sources_set_back", code=DatabaseUnavailableError.code) == 2
    for feed in feeds:
        _through(home, feed.source_id)
    assert _figure(home, "tenant_runtime_sources_set_back", code=DatabaseUnavailableError.code) == 0


@dg.op
def end() -> None:
    """Ends the run before it is through."""
    raise MemoryError


@dg.job(name=NORMALISE_SOURCES)
def ended_job() -> None:
    """A run that does not come through."""
    end()


def test_a_run_that_ended_is_not_forgotten_by_a_tick_that_loses_its_database(
    home: Home, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick fails, and the next one puts right what the run had in hand."""
    feed = _feed(home, server.answer("/t", _halls("t")))
    assert poll_feed(home.runtime, TENANT, feed.id).answer is Answer.VERSION
    run_stage(home.runtime, TENANT, feed.source_id, Stage.RECEIVE)
    key = partition_key(TENANT, feed.source_id)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, [key])

        def tick(cursor: str | None) -> str | None:
            resources = {"runtime": RuntimeAccess(home.runtime)}
            context = dg.build_sensor_context(instance, cursor=cursor, resources=resources)
            return ended_runs.evaluate_tick(context).cursor

        def killing(*given: Any) -> Setback:
            home.database.kill()
            return set_back(*given)

        cursor = tick(None)
        ended_job.execute_in_process(instance=instance, tags={"dagster/partition": key}, raise_on_error=False)
        with monkeypatch.context() as patch:
            patch.setattr(halts, "set_back", killing)
            with pytest.raises(DatabaseUnavailableError):
                tick(cursor)
        home.database.start_again()
        tick(cursor)
    with home.runtime.database.tenant(TENANT) as connection:
        found = get_source(connection, TENANT, feed.source_id)
    assert (found.ingest_status, found.alone) == ("waiting", True)
    _through(home, feed.source_id)


def test_a_request_to_the_api_while_the_database_is_away_is_told_so_and_the_next_one_is_answered(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        serving(_by_the_machine(home.runtime)) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=60) as client,
    ):
        token = _token(home)
        asked = {"url": f"/api/tenant/{TENANT}/feeds", "headers": {"Authorization": f"Bearer {token}"}}
        before = client.get(**asked)
        assert before.status_code == 200
        home.database.kill()
        away = client.get(**asked)
        _assert_told(away, client, caplog, DatabaseUnavailableError.code, "/api/tenant/{tenant}/feeds")
        unready = client.get("/api/readyz")
        assert (unready.status_code, unready.json()["code"]) == (503, "not-ready-database")
        assert _metric(client, "tenant_runtime_figures_read") == 0
        assert "the database does not tell its figures" in caplog.text
        home.database.start_again()
        assert client.get(**asked).json() == before.json()


def _token(home: Home) -> str:
    grant_role(home.runtime, TENANT, person="anan", role="tenant-admin", granted_by="test")
    return LocalIssuer(_by_the_machine(home.runtime)).access_token("anan", TENANT, timedelta(hours=1))


def _assert_told(
    answer: httpx.Response, client: httpx.Client, caplog: pytest.LogCaptureFixture, code: str, route: str
) -> None:
    """Who asked is told by the answer, and who runs it by the log and a metric; nobody a word of the inside."""
    told = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (503, 503, code)
    assert told["remedy"].startswith("Try again in a while")
    assert told["instance"] == answer.headers["x-request-id"]
    assert "postgres" not in answer.text.lower()
    assert {"tenant": TENANT, "code": code} in [getattr(record, "fields", {}) for record in caplog.records]
    request = {"method": answer.request.method, "route": route, "status": "503"}
    assert _metric(client, "tenant_runtime_http_requests_total", **request) >= 1


def _metric(client: httpx.Client, name: str, **labels: str) -> float:
    """What the server's own page says of it."""
    page = client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    samples = [sample for family in text_string_to_metric_families(page.text) for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == name and sample.labels == labels)


def test_a_full_disk_leaves_nothing_half_written_and_the_same_works_when_there_is_room(
    home: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    objects = home.runtime.settings.objects_directory
    file = tmp_path / "halls.csv"
    file.write_text(HEADER + "".join(f"D-{number},Hall {number},{83000 + number}\n" for number in range(4_000)))
    options: dict[str, Any] = {
        "origin": Origin.PRESS, "unit_mode": UnitMode.SINGLE_FILE, "places": [str(file)], "title": "x", "actor": "test",
    }  # fmt: skip
    before = len(list_sources(home.runtime, TENANT))
    tenant_objects = objects / TENANT
    kept = objects.parent / "kept-objects"
    if tenant_objects.exists():
        tenant_objects.rename(kept)
    with small_disk(tenant_objects, "64k") as resize:
        with pytest.raises(OSError, match="No space left"):
            add_source(home.runtime, TENANT, **options)
        assert len(list_sources(home.runtime, TENANT)) == before
        assert _whole_files(tenant_objects) == []
        with (
            serving(_by_the_machine(home.runtime)) as url,
            httpx.Client(base_url=url, trust_env=False, timeout=60) as client,
        ):
            client.headers["Authorization"] = f"Bearer {_token(home)}"
            place = _begin_upload(client, file)
            _assert_told(_go_on(client, place, file), client, caplog, MachineExhaustedError.code, UPLOAD_ROUTE)
            assert _whole_files(tenant_objects) == []
            resize("400k")
            assert _go_on(client, place, file).status_code == 204
            body = {"origin": "press", "unit_mode": "single-file", "title": "x", "uploads": [place.rpartition("/")[2]]}
            added = client.post(f"/api/tenant/{TENANT}/source/upload", json=body)
            assert added.status_code == 201, added.text
        source = SourceId(added.json()["id"])
        resize("200k")
        went_through: list[Stage] = []
        with pytest.raises(MachineExhaustedError, match="ENOSPC"):
            _through(home, source, went_through)
        with home.runtime.database.tenant(TENANT) as connection:
            assert get_source(connection, TENANT, source).ingest_status == "waiting", "it is no fault of the source"
        assert MachineExhaustedError.code in _codes(caplog)
        assert _figure(home, "tenant_runtime_sources_set_back", code=MachineExhaustedError.code) == 1
        records = _rows(home, "SELECT stage FROM runtime.stage_runs WHERE source_id = %s", source)
        assert {row["stage"] for row in records} == set(map(str, went_through))
        resize("64m")
        _through(home, source)
        assert len(_names(home, source)) == 4_000
        _assert_intact(home)
    tenant_objects.rmdir()
    if kept.exists():
        kept.rename(tenant_objects)


def _begin_upload(client: httpx.Client, file: Path) -> str:
    metadata = f"filename {base64.b64encode(file.name.encode()).decode()}"
    headers = {**TUS, "Upload-Length": str(file.stat().st_size), "Upload-Metadata": metadata}
    return client.post(f"/api/tenant/{TENANT}/uploads", headers=headers).headers["location"]


def _go_on(client: httpx.Client, place: str, file: Path) -> httpx.Response:
    """Send what the server has not yet."""
    offset = int(client.head(place, headers=TUS).headers["upload-offset"])
    headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return client.patch(place, headers=headers, content=file.read_bytes()[offset:])


def _whole_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not re.search(r"/[.]draft-|[.]part$", str(path))]


def test_a_clock_that_jumps_ahead_asks_a_feed_once_and_one_that_is_set_back_asks_it_no_oftener(
    home: Home, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    feed = _feed(home, server.answer("/c", _halls("a"), _halls("b"), _halls("c")))
    assert poll_feed(home.runtime, TENANT, feed.id).answer is Answer.VERSION
    _through(home, feed.source_id)
    before = _figure(home, "tenant_runtime_clock_ahead_seconds")
    home.clock.forward(days=10)
    assert _figure(home, "tenant_runtime_clock_ahead_seconds") == pytest.approx(before + 10 * 86400, abs=600)
    assert "clock and the database's are" in caplog.text
    assert (TENANT, feed.id) in due_feeds(home.runtime, 100)
    assert poll_feed(home.runtime, TENANT, feed.id).answer is Answer.VERSION
    assert poll_feed(home.runtime, TENANT, feed.id).answer is Answer.NOT_DUE
    _through(home, feed.source_id)
    home.clock.forward(days=-20)
    assert poll_feed(home.runtime, TENANT, feed.id).answer is Answer.NOT_DUE
    home.clock.forward(days=10)
    assert poll_feed(home.runtime, TENANT, feed.id).answer is Answer.NOT_DUE
    assert len(server.asked) == 2
    home.clock.forward(days=10, hours=2)
    assert poll_feed(home.runtime, TENANT, feed.id).answer is Answer.VERSION
    assert len(server.asked) == 3
    _through(home, feed.source_id)


def test_what_a_source_does_not_say_any_more_is_retired_though_the_clock_was_set_back(
    home: Home, server: Server
) -> None:
    feed = _feed(home, server.answer("/r", _halls("old", "both"), _halls("both", "new"), _halls("old", "both")))
    said = []
    for _ in range(3):
        polling.ask_now(home.runtime, TENANT, feed.id)
        assert poll_feed(home.runtime, TENANT, feed.id).answer is Answer.VERSION
        _through(home, feed.source_id)
        said.append(_names(home, feed.source_id))
        home.clock.forward(hours=-30)
    assert said == [{"old", "both"}, {"both", "new"}, {"old", "both"}]


def test_a_claim_that_a_jump_ahead_has_ended_lets_another_ask_and_the_version_comes_once(
    home: Home, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = _feed(home, server.answer("/j", _halls("a")))
    real = polling.keep_unit
    others: list[Answer] = []

    def meanwhile(*given: Any) -> None:
        real(*given)
        if not others:
            others.append(Answer.NOT_DUE)
            home.clock.forward(days=1)
            others[0] = poll_feed(home.runtime, TENANT, feed.id).answer

    monkeypatch.setattr(polling, "keep_unit", meanwhile)
    assert poll_feed(home.runtime, TENANT, feed.id).answer is Answer.UNCHANGED
    assert others == [Answer.VERSION]
    with home.runtime.database.tenant(TENANT) as connection:
        assert len(versions_of(connection, get_feed(connection, TENANT, feed.id))) == 1

"""The disk of the database fills up: nothing is lost, no source is to blame, and all goes on when there is room."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import psycopg
import pytest

from tenant_pipeline.assets.materialise import ENDED_BY_TAG
from tenant_pipeline.assets.normalisation import assemble
from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.cli import up
from tenant_pipeline.cli.dagster_environment import dagster_environment
from tenant_pipeline.core.errors import MachineExhaustedError
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import TenantId, partition_key
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.services import normalisation, patience
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.observation.figures import read_figures
from tenant_pipeline.services.observation.readiness import why_not_ready
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.services.sources import Source, add_source, get_source
from tenant_pipeline.settings import Settings
from tests.registered import registered
from tests.system.small_disk import small_disk

pytestmark = pytest.mark.slow

TENANT = TenantId("full-disk")
ROWS = 1_500


@dataclass
class Disk:
    """The database's disk, which can be filled up to the last page."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        for size in (1 << 20, 1 << 12):
            with self._ballast.open("ab", buffering=0) as ballast, suppress(OSError):
                while True:
                    ballast.write(bytes(size))

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)


@dataclass
class Home:
    """An installation whose database has a small disk of its own."""

    runtime: Runtime
    disk: Disk
    instance: dg.DagsterInstance


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="tenant-runtime-test-") as folder, pytest.MonkeyPatch.context() as patch:
        Path(folder).chmod(0o755)
        settings = Settings(home=Path(folder) / "home")
        settings.home.mkdir(mode=0o755)
        with small_disk(settings.postgres_directory, "250m", mode="0755"), open_runtime(settings) as runtime:
            registered(runtime, TENANT, pdpa_agreement_ref="D")
            for name, value in dagster_environment(runtime).items():
                patch.setenv(name, value)
            with dg.DagsterInstance.get() as instance:
                yield Home(runtime, Disk(settings.postgres_directory), instance)


def _added(home: Home, folder: Path, title: str) -> Source:
    file = folder / "halls.csv"
    rows = "".join(f"{title}-{number},Hall {title} {number},83000\n" for number in range(ROWS))
    file.write_text("licence_no,venue_name_en,postcode\n" + rows)
    return add_source(
        home.runtime, TENANT, origin=Origin.PRESS, unit_mode=UnitMode.SINGLE_FILE, places=[str(file)], title=title,
        actor="test",
    )  # fmt: skip


def _found(home: Home, source: Source) -> Source:
    with home.runtime.database.tenant(TENANT) as connection:
        return get_source(connection, TENANT, source.id)


def _names(home: Home, source: Source) -> int:
    query = "SELECT count(*) AS names FROM runtime.statement_facts WHERE source_id = %s AND property = 'name'"
    with home.runtime.database.tenant(TENANT) as connection:
        row = connection.execute(query, (source.id,)).fetchone()
    return int(row["names"]) if row else 0


def _figure(home: Home, name: str) -> list[float]:
    """What the metrics say of it now; nothing where they do not."""
    return [each.value for each in read_figures(home.runtime) if each.name == name]


def _assert_intact(home: Home) -> None:
    with home.runtime.database.administration() as connection:
        report = home.runtime.audit.verify(connection, TENANT)
    assert report.intact, report.problem


def test_a_run_that_meets_a_full_disk_waits_for_room_and_is_held_against_no_source(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Dagster's records are on that disk, too: the run keeps its events until they can be written."""
    source = _added(home, tmp_path, "full")
    for stage in STAGES[:-1]:
        run_stage(home.runtime, TENANT, source.id, stage)
    key = partition_key(TENANT, source.id)
    home.instance.add_dynamic_partitions(TENANT_SOURCE, [key])
    told: list[tuple[list[float], str]] = []

    def meanwhile(seconds: float) -> None:
        unready = why_not_ready(home.runtime)
        told.append((_figure(home, "tenant_runtime_database_has_room"), unready.says if unready else ""))
        home.disk.make_room()

    clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=meanwhile)
    monkeypatch.setattr(patience, "time", clock)
    with _filled_at(home, monkeypatch):
        result = dg.materialize(
            [assemble], instance=home.instance, resources={"runtime": RuntimeAccess(home.runtime)},
            tags={"dagster/partition": key}, raise_on_error=False,
            selection=[assemble],
        )  # fmt: skip
    run = home.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert (run.status, run.tags[ENDED_BY_TAG]) == (dg.DagsterRunStatus.FAILURE, "outage")
    found = _found(home, source)
    assert (found.ingest_status, found.alone) == ("waiting", False)
    assert found.hindrance is not None
    assert found.hindrance["code"] == MachineExhaustedError.code
    assert told[0] == ([0], "PostgreSQL has no room on its disk.")
    assert "the run waits for it" in caplog.text
    assert _figure(home, "tenant_runtime_database_has_room") == [1]
    assert why_not_ready(home.runtime) is None
    assert _names(home, source) == 0, "of what was cut off nothing is there"
    run_stage(home.runtime, TENANT, source.id, Stage.ASSEMBLE)
    assert _names(home, source) == ROWS
    _assert_intact(home)


@contextmanager
def _filled_at(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The disk is full as soon as the stage has begun."""
    real: Callable[..., Any] = normalisation._STAGES_IN_TRANSACTION[Stage.ASSEMBLE]

    def filled(*given: Any) -> Any:
        home.disk.fill()
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setitem(normalisation._STAGES_IN_TRANSACTION, Stage.ASSEMBLE, filled)
        yield


def _fill_write_ahead_log(home: Home) -> None:
    with home.runtime.database.administration() as connection:
        while True:
            connection.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000))")


def test_a_server_that_ended_because_its_log_had_no_room_is_started_again_and_has_lost_nothing(
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = home.runtime.server
    assert server is not None
    source = _added(home, tmp_path, "panic")
    home.disk.fill()
    with pytest.raises(psycopg.OperationalError):
        _fill_write_ahead_log(home)
    assert server._process is not None
    server._process.wait(60)
    unready = why_not_ready(home.runtime)
    assert unready is not None
    assert (unready.examination, unready.says) == ("database", "PostgreSQL does not answer (OperationalError).")
    assert _figure(home, "tenant_runtime_figures_read") == [0]
    assert _figure(home, "tenant_runtime_database_has_room") == [], "nobody knows"
    assert "the database does not tell its figures (OperationalError)" in caplog.text
    monkeypatch.setattr(up, "BETWEEN_STARTS_SECONDS", 0)
    up._revive_database(home.runtime)
    assert "The database has ended by itself: The embedded database did not start" in capsys.readouterr().err
    home.disk.make_room()
    up._revive_database(home.runtime)
    assert "The database had ended by itself, and runs again." in capsys.readouterr().err
    assert not server.revive()
    assert why_not_ready(home.runtime) is None
    assert _figure(home, "tenant_runtime_figures_read") == _figure(home, "tenant_runtime_database_has_room") == [1]
    for stage in STAGES:
        run_stage(home.runtime, TENANT, source.id, stage)
    assert _names(home, source) == ROWS
    _assert_intact(home)

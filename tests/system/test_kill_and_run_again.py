"""`kill -9` at any stage, then run again: the same digests, nothing doubled, nothing lost."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import sources
from tenant_pipeline.services.lineage import every_record
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tests.system.conftest import Installation

TENANT = TenantId("kill-test")

VENUES = """name_en,name_th,capacity,postcode,phone
Laguna Hall,ลากูน่า ฮอลล์,1200,83110,081-234-5678
Kathu Centre,ศูนย์กะทู้,800,83120,
Old Town House,บ้านเมืองเก่า,not known,83000,
Laguna Hall,ลากูน่า ฮอลล์,1200,83110,081-234-5678
"""

# Ends a process without warning just before (or just after) a stage's record is kept. Each is a process of its own,
# forked from one that has loaded the code and nothing else.
WALKS = """
import os, signal, sys, traceback
from tenant_pipeline.cli import code_of_runs
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import normalisation
from tenant_pipeline.services.runtime import connect
from tenant_pipeline.settings import Settings

tenant, source, moment = sys.argv[1:]
keep = normalisation._keep

def walk(fatal):
    def keep_and_die(connection, runtime, source_, record, verdict):
        if record.stage == fatal and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        kept = keep(connection, runtime, source_, record, verdict)
        if record.stage == fatal and moment == "inside":
            os.kill(os.getpid(), signal.SIGKILL)
        return kept

    normalisation._keep = keep_and_die
    with connect(Settings()) as runtime:
        for stage in STAGES:
            normalisation.run_stage(runtime, TenantId(tenant), SourceId(source), stage)

for line in sys.stdin:
    child = os.fork()
    if not child:
        try:
            walk(line.strip())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def _rows(runtime: Runtime) -> dict[str, int]:
    with runtime.database.administration() as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'runtime'"
        ).fetchall()
        found: dict[str, int] = {}
        for table in tables:
            row: dict[str, Any] = connection.execute(f"SELECT count(*) AS rows FROM {table['name']}").fetchone() or {}
            found[table["name"]] = row["rows"]
    return found


def _digests(runtime: Runtime, source: SourceId) -> dict[str, str]:
    with runtime.database.tenant(TENANT) as connection:
        known = sources.get_source(connection, TENANT, source)
    return {record.stage: record.output_digest for record in every_record(runtime, known)}


def _install(home: Path, tmp_path: Path, keys_of: Path | None) -> tuple[Installation, SourceId]:
    if keys_of is not None:
        shutil.copytree(keys_of / "keys", home / "keys")
    installation = Installation(home)
    installation.register(TENANT)
    file = tmp_path / "venues.csv"
    file.write_text(VENUES)
    return installation, SourceId(installation.add(TENANT, "partner-doc", "single-file", file))


@contextmanager
def _walks(installation: Installation, source: SourceId, moment: str, errors: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is told stages, and says of each how the walk ended that was to be killed there."""
    with errors.open("w") as complaints:
        walks = subprocess.Popen(
            [sys.executable, "-c", WALKS, TENANT, source, moment],
            env=installation.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        try:
            with walks:
                yield walks
        finally:
            walks.kill()


@dataclass(frozen=True)
class Undisturbed:
    """An installation with one source that went through all stages, and what it came to."""

    installation: Installation
    source: SourceId
    digests: dict[str, str]
    rows: dict[str, int]


@pytest.fixture(scope="module")
def undisturbed(new_home: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    installation, source = _install(new_home(), tmp_path_factory.mktemp("venues"), None)
    with open_runtime(installation.settings) as runtime:
        assert not any(run_stage(runtime, TENANT, source, stage).repeated for stage in STAGES)
        return Undisturbed(installation, source, _digests(runtime, source), _rows(runtime))


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "inside"])
def test_a_source_killed_at_every_stage_ends_as_one_that_was_never_killed(
    tmp_path: Path, new_home: Callable[[], Path], undisturbed: Undisturbed, moment: str
) -> None:
    assert list(undisturbed.digests) == list(STAGES)
    killed, source = _install(new_home(), tmp_path, undisturbed.installation.home)
    assert source == undisturbed.source
    errors = tmp_path / "errors.txt"
    with open_runtime(killed.settings) as runtime, _walks(killed, source, moment, errors) as walks:
        for stage in STAGES:
            assert walks.stdin is not None
            assert walks.stdout is not None
            print(stage, file=walks.stdin, flush=True)
            assert walks.stdout.readline().strip() == str(-signal.SIGKILL), errors.read_text()
            assert list(_digests(runtime, source)) == list(STAGES[: STAGES.index(stage)])
        for stage in STAGES:
            run_stage(runtime, TENANT, source, stage)
        assert _digests(runtime, source) == undisturbed.digests
        assert _rows(runtime) == undisturbed.rows


@pytest.mark.slow
def test_a_second_walk_writes_nothing(undisturbed: Undisturbed) -> None:
    installation, source = undisturbed.installation, undisturbed.source
    with open_runtime(installation.settings) as runtime:
        files = _files(installation)
        second = [run_stage(runtime, TENANT, source, stage) for stage in STAGES]
        assert all(record.repeated for record in second)
        assert {record.stage: record.output_digest for record in second} == undisturbed.digests
        assert _rows(runtime) == undisturbed.rows
        assert _files(installation) == files


def _files(installation: Installation) -> dict[Path, int]:
    objects = installation.settings.objects_directory
    return {path: path.stat().st_mtime_ns for path in objects.rglob("*") if path.is_file()}

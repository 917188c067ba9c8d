"""`kill -9` at any stage, then run again: the same digests, nothing doubled, nothing lost."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.stage import STAGES, Stage
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

# Ends the process without warning just before (or just after) the stage's record is kept.
WALK = """
import os, signal, sys
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import normalisation
from tenant_pipeline.services.runtime import connect
from tenant_pipeline.settings import Settings

tenant, source, fatal, moment = sys.argv[1:]
keep = normalisation._keep

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


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "inside"])
def test_a_source_killed_at_every_stage_ends_as_one_that_was_never_killed(
    tmp_path: Path, new_home: Callable[[], Path], moment: str
) -> None:
    undisturbed, source = _install(new_home(), tmp_path, None)
    with open_runtime(undisturbed.settings) as runtime:
        for stage in STAGES:
            run_stage(runtime, TENANT, source, stage)
        expected, expected_rows = _digests(runtime, source), _rows(runtime)
    assert list(expected) == list(STAGES)

    killed, same_source = _install(new_home(), tmp_path, undisturbed.home)
    assert same_source == source
    with open_runtime(killed.settings) as runtime:
        for stage in STAGES:
            died = subprocess.run(
                [sys.executable, "-c", WALK, TENANT, source, stage, moment],
                env=killed.environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert died.returncode == -signal.SIGKILL, died.stderr
            assert list(_digests(runtime, source)) == list(STAGES[: STAGES.index(stage)])
        for stage in STAGES:
            run_stage(runtime, TENANT, source, stage)
        assert _digests(runtime, source) == expected
        assert _rows(runtime) == expected_rows


@pytest.mark.slow
def test_a_second_walk_writes_nothing(tmp_path: Path, new_home: Callable[[], Path]) -> None:
    installation, source = _install(new_home(), tmp_path, None)
    with open_runtime(installation.settings) as runtime:
        first = [run_stage(runtime, TENANT, source, stage) for stage in Stage]
        rows, files = _rows(runtime), _files(installation)
        second = [run_stage(runtime, TENANT, source, stage) for stage in Stage]
        assert not any(record.repeated for record in first)
        assert all(record.repeated for record in second)
        assert [record.output_digest for record in second] == [record.output_digest for record in first]
        assert _rows(runtime) == rows
        assert _files(installation) == files


def _files(installation: Installation) -> dict[Path, int]:
    objects = installation.settings.objects_directory
    return {path: path.stat().st_mtime_ns for path in objects.rglob("*") if path.is_file()}

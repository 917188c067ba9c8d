"""The same model on DuckDB and on Spark finds the same clusters in a file of records."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from benchmarks.linking_records import write_records
from tenant_pipeline.cli.link import app
from tenant_pipeline.core.errors import InputError, SettingsError
from tenant_pipeline.linking.bulk_link import link_on_one_machine, link_past_one_machine
from tenant_pipeline.linking.model import PLACES
from tenant_pipeline.linking.spark_session import spark_session

RECORDS = 400
FEW_RECORDS_SETTINGS = """
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.sql.adaptive.enabled false
"""
"""Compiling each query takes longer than running it on so few records."""


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "records.parquet"
    write_records(path, RECORDS)
    table = pq.read_table(path).drop(["entity"])
    ids = pa.array([number * 7 + 3 for number in range(RECORDS)], pa.int64())
    table = table.set_column(0, "id", ids).append_column("source", pa.array([0, 1] * (RECORDS // 2), pa.int64()))
    pq.write_table(table, path)
    return path


@pytest.mark.slow
def test_spark_finds_the_clusters_that_duckdb_finds(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, kept = tmp_path / "settings", tmp_path / "kept"
    settings.mkdir()
    kept.mkdir()
    (settings / "spark-defaults.conf").write_text(FEW_RECORDS_SETTINGS)
    monkeypatch.setenv("SPARK_CONF_DIR", str(settings))
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    expected = link_on_one_machine(records, within_sources=True)
    assert len(set(expected.values())) > RECORDS // 10
    assert link_past_one_machine(records, "local[2]", within_sources=True, folder=kept) == expected
    assert list(kept.iterdir()) == [], "nothing is left behind"
    stricter = replace(PLACES, match_bits=PLACES.match_bits + 12)
    assert link_on_one_machine(records, stricter, within_sources=True) != expected, "clusters tell of the threshold"


def test_the_command_writes_each_record_with_its_cluster(records: Path, tmp_path: Path) -> None:
    written = tmp_path / "links.parquet"
    said = CliRunner().invoke(app, ["bulk", str(records), str(written), "--no-within-sources"])
    assert said.exit_code == 0, said.output
    links = dict(zip(*(column.to_pylist() for column in pq.read_table(written).columns), strict=True))
    assert links == link_on_one_machine(records, within_sources=False)
    assert links != link_on_one_machine(records, within_sources=True)
    assert set(links.values()) <= set(links)
    assert {each.name for each in tmp_path.iterdir()} == {"records.parquet", "links.parquet"}


def test_links_are_refused_before_the_work_where_they_cannot_be_written(records: Path, tmp_path: Path) -> None:
    for target in (tmp_path, tmp_path / "absent" / "links.parquet"):
        refused = CliRunner().invoke(app, ["bulk", str(records), str(target)])
        assert isinstance(refused.exception, InputError)


@pytest.mark.parametrize(
    "columns",
    [
        None,
        {"id": [1], "name": ["x"]},
        {"id": ["1"], "source": [1], "name": ["x"]},
        {"id": [1], "source": [1], "name": ["x"], "telephone": [7]},
        {"id": [1, 1], "source": [1, 2], "name": ["x", "y"]},
        {"id": [2, 1], "source": [1, 2], "name": ["x", "y"]},
        {"id": [1, None], "source": [1, 2], "name": ["x", "y"]},
    ],
)
def test_a_file_that_is_no_table_of_records_is_refused(columns: dict[str, list[object]] | None, tmp_path: Path) -> None:
    path = tmp_path / "records.parquet"
    if columns is not None:
        pq.write_table(pa.table(columns), path)
    with pytest.raises(InputError) as refusal:
        link_on_one_machine(path, within_sources=True)
    assert refusal.value.where == str(path)


def test_without_spark_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "splink.backends.spark", None)
    with pytest.raises(SettingsError, match="Spark is not installed"), spark_session("local[1]", tmp_path):
        pass

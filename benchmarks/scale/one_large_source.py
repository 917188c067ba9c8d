"""One source of many rows from upload to assembled: rows a second and memory by stage, beside a floor and a peer.

The floor reads the same file with pyarrow, takes the SHA-256 of its bytes and copies its rows into an indexed table.
The peer is the plain script that one would write instead (`plain_script`): it does less, and it is run on two samples
and extended as a line, because Presidio would take hours over a million rows. Where the disk does not hold the database
(9.7 GB for a million rows), its large tables can be laid elsewhere (`tablespace`).
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import time
from collections import Counter
from pathlib import Path, PurePath
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.conninfo import conninfo_to_dict
from pyarrow import csv as arrow_csv
from sqlalchemy import URL

from benchmarks.measured import run_apart
from benchmarks.scale.installation import installation, register
from benchmarks.scale.part import at_least, at_most, curve
from benchmarks.scale.process_tree import Peak, watched
from benchmarks.scale.tablespace import lay_large_tables_in, tablespace
from benchmarks.scale.venue_file import FIELDS, MAPPING, write_venues
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import mappings
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import add_source

TENANT = TenantId("scale-large")
PLAIN_SAMPLES = (5_000, 20_000)
"""Rows of the two samples that the plain script is run on; never more than the file has."""
MOST_MIB = 2048


def measure(rows: int) -> dict[str, Any]:
    """Write a file of so many rows and bring it through upload and nine stages; then the floor and the plain script."""
    with (
        tablespace() as place,
        installation() as runtime,
        tempfile.TemporaryDirectory(prefix="large-") as folder,
    ):
        path = Path(folder) / "venues.csv"
        write_venues(path, rows)
        if place:
            lay_large_tables_in(runtime, place)
        register(runtime, TENANT)
        mappings.accept(runtime, TENANT, person="benchmark", reason="the register's own fields", definition=MAPPING)
        empty = _database_bytes(runtime)
        steps = _ours(runtime, path)
        statements = steps[Stage.ASSEMBLE]["rows_out"]
        stored = {**_object_bytes(runtime), "database": _database_bytes(runtime) - empty}
        floor = _floor(runtime, path)
        plain = _plain(runtime, path, rows)
    seconds = sum(step["seconds"] for step in steps.values())
    peak = max(step["peak_mib"] for step in steps.values())
    plain_seconds = plain["seconds_for_all_rows"]
    return {
        "rows": rows,
        "file_mib": plain["file_mib"],
        "statements": statements,
        "stored_bytes_a_row": {place: round(size / rows) for place, size in stored.items()},
        "seconds": round(seconds, 1),
        "rows_a_second": round(rows / seconds),
        "statements_a_second": round(statements / seconds),
        "tree_peak_mib": peak,
        "steps": steps,
        "floor": floor,
        "plain_script": plain,
        "targets": [
            at_most("time beside the floor", seconds / floor["seconds"], 4),
            at_least("the plain script's time beside ours", plain_seconds / seconds, 10),
            at_most("most memory of all processes", peak, MOST_MIB, "MiB"),
        ],
        "curves": [
            curve(
                f"{rows:,} rows, by step", "step", "seconds",
                {"seconds": [(name, step["seconds"]) for name, step in steps.items()]}, kind="bar",
            ),
            curve(
                f"{rows:,} rows, by step", "step", "MiB",
                {
                    "our processes": [(name, step["own_mib"]) for name, step in steps.items()],
                    "the database's": [(name, step["database_mib"]) for name, step in steps.items()],
                },
                kind="bar",
            ),
        ],
        "notes": [
            f"Each row becomes about {statements / rows:.1f} statements, each with an id that is a digest, the value as"
            " it was, its place in the source and the rules that it passed. The floor keeps one row a row, unencrypted,"
            " with nothing parsed, screened, checked or linked.",
            f"The plain script's time is a line through samples of {PLAIN_SAMPLES[0]:,} and {PLAIN_SAMPLES[1]:,} rows;"
            " it keeps no statements, no provenance, no rejects and no audit, and holds the whole file in memory.",
        ],
    }  # fmt: skip


def _ours(runtime: Runtime, path: Path) -> dict[str, dict[str, Any]]:
    """The upload and each stage: seconds, rows a second in the stage's own unit, and memory."""
    steps: dict[str, dict[str, Any]] = {}
    with watched() as peak:
        started = time.perf_counter()
        source = add_source(
            runtime, TENANT, origin=Origin.REGULATOR, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)],
            title="Venues", actor="benchmark",
        )  # fmt: skip
        seconds = time.perf_counter() - started
    steps["upload"] = _step(seconds, peak)
    for stage in STAGES:
        with watched() as peak:
            record = run_stage(runtime, TENANT, source.id, stage)
        steps[stage] = {
            **_step(record.seconds, peak),
            "rows_in": record.rows_in,
            "rows_out": record.rows_out,
            "rejected": record.rejected,
            "rows_a_second": round(max(record.rows_in, record.rows_out) / record.seconds),
            "output": record.output_digest,
        }
    return steps


def _step(seconds: float, peak: Peak) -> dict[str, Any]:
    return {
        "seconds": round(seconds, 3),
        "own_mib": peak.own_mib,
        "database_mib": peak.database_mib,
        "peak_mib": peak.together_mib,
        "peak_by_process": peak.by_process,
    }


def _database_bytes(runtime: Runtime) -> int:
    with runtime.database.administration() as connection:
        row = connection.execute("SELECT pg_database_size(current_database()) AS bytes").fetchone()
    return int(row["bytes"]) if row else 0


def _object_bytes(runtime: Runtime) -> Counter[str]:
    """What lies in each zone of the tenant: `raw` (the file, and outputs up to `extract`) and `stages`."""
    zones: Counter[str] = Counter()
    for name, size in runtime.objects.listed(TENANT):
        zones[PurePath(name).parts[1]] += size
    return zones


def _floor(runtime: Runtime, path: Path) -> dict[str, Any]:
    """Read with pyarrow, SHA-256 of the bytes, COPY into a table with a primary key: the least there is to do."""
    with watched() as peak, psycopg.connect(runtime.database.conninfo()) as connection:
        started = time.perf_counter()
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        hashed = time.perf_counter()
        columns = ", ".join(f"{name} text NOT NULL" for name in FIELDS)
        connection.execute(f"CREATE TABLE public.floor ({columns}, PRIMARY KEY (venue_ref))")
        text = arrow_csv.ConvertOptions(column_types=dict.fromkeys(FIELDS, pa.string()))
        with (
            connection.cursor() as cursor,
            cursor.copy("COPY public.floor FROM STDIN (FORMAT csv, FORCE_NOT_NULL *)") as copy,
        ):
            for batch in arrow_csv.open_csv(path, convert_options=text):
                buffer = io.BytesIO()
                arrow_csv.write_csv(batch, buffer, arrow_csv.WriteOptions(include_header=False))
                copy.write(buffer.getvalue())
        connection.commit()
        ended = time.perf_counter()
        connection.execute("DROP TABLE public.floor")
    return {
        "sha256": digest,
        "seconds": round(ended - started, 3),
        "hash_seconds": round(hashed - started, 3),
        "peak_mib": peak.together_mib,
    }


def _plain(runtime: Runtime, path: Path, rows: int) -> dict[str, Any]:
    """The plain script on two samples, and the line through them at all rows."""
    parts = conninfo_to_dict(runtime.database.conninfo())
    query = {name: str(parts[name]) for name in ("host", "port") if parts.get(name)}
    url = URL.create("postgresql+psycopg", str(parts["user"]), str(parts.get("password") or "") or None,
                     database=str(parts["dbname"]), query=query)  # fmt: skip
    os.environ["DATABASE_URL"] = url.render_as_string(hide_password=False)
    samples = sorted({min(rows, most) for most in PLAIN_SAMPLES})
    try:
        curve_ = [run_apart("benchmarks.scale.plain_script", str(path), str(each)) for each in samples]
    finally:
        del os.environ["DATABASE_URL"]
    last, first = curve_[-1], curve_[0]
    slope = last["seconds"] / last["rows"]
    if last["rows"] > first["rows"]:
        slope = (last["seconds"] - first["seconds"]) / (last["rows"] - first["rows"])
    return {
        "file_mib": round(path.stat().st_size / 2**20, 1),
        "samples": curve_,
        "seconds_a_row": round(slope, 6),
        "seconds_for_all_rows": round(last["seconds"] + slope * (rows - last["rows"]), 1),
        "extrapolated": rows > last["rows"],
    }

"""Every origin in every unit mode, as the intake contract names them, through all nine stages to exact statements."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES, Disposition, Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.services import sources
from tenant_pipeline.services.lineage import every_record
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tests.integration.conftest import TwoTenants
from tests.integration.origin_samples import SAMPLES
from tests.registered import registered
from tests.unit.intake.link_server import Answer, Server, serve

TENANT = TenantId("matrix-tenant")
HERE = LinkPolicy(timeout_seconds=20, request_interval_seconds=0, allow_loopback=True)
INTAKE = load_contracts().documents["enterprise_intake"]
PAIRS = [
    (Origin(origin["id"]), UnitMode(mode["id"])) for origin in INTAKE["source_origins"] for mode in INTAKE["unit_modes"]
]


@pytest.fixture(scope="module")
def runtime(tenants: TwoTenants) -> Runtime:
    registered(tenants.runtime, TENANT, pdpa_agreement_ref="DPA-1")
    return tenants.runtime


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The samples of all origins, a folder each, one more folder down."""
    written = tmp_path_factory.mktemp("origins")
    with as_file(files("tenant_pipeline.samples") / "origins") as samples:
        for sample in samples.rglob("*"):
            if sample.is_file() and sample.suffix not in (".py", ".pyc"):
                place = written / sample.parent.name / "as sent" / sample.name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(sample.read_bytes())
        yield written


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server


def _handed_in(runtime: Runtime, folder: Path, server: Server, origin: Origin, mode: UnitMode) -> Source:
    samples = folder / origin
    file = samples / "as sent" / SAMPLES[origin].file
    if mode is UnitMode.SINGLE_FILE:
        places = [str(file)]
    elif mode is UnitMode.FOLDER:
        places = [str(samples)]
    elif mode is UnitMode.LINK:
        places = [server.answer(f"/{origin}/{file.name}", Answer(file.read_bytes()))]
    else:
        bundle = samples.parent / f"{origin}.zip"
        bundle.write_bytes(_zip(samples))
        places = [str(bundle)]
    return sources.add_source(
        runtime, TENANT, origin=origin, unit_mode=mode, places=places, title=f"{origin} {mode}", actor="test",
        link_policy=HERE,
    )  # fmt: skip


def _zip(folder: Path) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return written.getvalue()


def test_the_contract_names_52_pairs() -> None:
    assert len(set(PAIRS)) == 13 * 4
    assert set(SAMPLES) == set(Origin)


@pytest.mark.parametrize(("origin", "mode"), PAIRS)
def test_each_origin_in_each_mode_comes_out_as_statements(
    runtime: Runtime, folder: Path, server: Server, origin: Origin, mode: UnitMode
) -> None:
    sample = SAMPLES[origin]
    source = _handed_in(runtime, folder, server, origin, mode)
    for stage in STAGES:
        run_stage(runtime, TENANT, source.id, stage)
    records = {Stage(record.stage): record for record in every_record(runtime, source)}
    assert list(records) == list(STAGES)

    store = runtime.stage_store(TENANT)
    refused = [
        row
        for stage in (Stage.RECEIVE, Stage.IDENTIFY)
        for frame in store.read(records[stage].output_digest).rejects()
        for row in frame.to_dict("records")
        if row["disposition"] == Disposition.QUARANTINED
    ]
    assert {row["code"] for row in refused} <= set(sample.refused_beside)
    assert not refused or mode in (UnitMode.FOLDER, UnitMode.AI_BUNDLE)
    profiles = store.read(records[Stage.IDENTIFY].output_digest).document("profile")["objects"]
    (profile,) = [each for each in profiles if each["path"].endswith(sample.file)]
    assert profile["reader"] == sample.reader
    if mode in (UnitMode.FOLDER, UnitMode.AI_BUNDLE):
        assert profile["path"].endswith(f"as sent/{sample.file}")

    with runtime.database.tenant(TENANT) as connection:
        rows = connection.execute(
            "SELECT type, property, lang, value, locator, authority_tier FROM runtime.statement_facts"
            " WHERE tenant_id = %s AND source_id = %s",
            (TENANT, source.id),
        ).fetchall()
    found = {(row["type"], row["property"], row["lang"], row["value"], row["locator"]) for row in rows}
    expected = {(*said[:4], f"{profile['object']}#{said.place}") for said in sample.said}
    assert expected <= found, sorted(found)

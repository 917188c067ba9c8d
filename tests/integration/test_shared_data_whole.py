"""Real files of every kind, folder by folder, through the whole pipeline: each is read or refused, none is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenant_pipeline.core.errors import GateClosedError
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES, Disposition, Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import sources
from tenant_pipeline.services.lineage import every_record
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conftest import TwoTenants
from tests.registered import registered

TENANT = TenantId("shared-data-tenant")
SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FOLDERS = {
    "messy_tables": (Origin.PARTNER_DOC, {"empty-file", "nothing-in-it", "encrypted-workbook"}),
    "pdf_bad": (Origin.REGULATOR, {"broken-pdf", "encrypted-pdf"}),
    "blns": (Origin.MIXED, set()),
    "partner_docs_docx": (Origin.PARTNER_DOC, {"nothing-in-it", "empty-document"}),
    "ai_exports": (Origin.MIXED, {"no-message"}),
    "wikivoyage_boston": (Origin.LEGACY_WIKI, set()),
    "thai_gazetteers": (Origin.REGULATOR, set()),
}
"""Folders, where they come from, and the codes with which some of their files are rightly refused."""


@pytest.fixture(scope="module")
def runtime(tenants: TwoTenants) -> Runtime:
    registered(tenants.runtime, TENANT, pdpa_agreement_ref="DPA-1")
    return tenants.runtime


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_real_files_is_read_whole(runtime: Runtime, name: str) -> None:
    folder = SHARED_DATA / name
    if not folder.is_dir():
        pytest.skip(f"needs the real data in {name}, which is not here")
    origin, expected = FOLDERS[name]
    source = sources.add_source(
        runtime, TENANT, origin=origin, unit_mode=UnitMode.FOLDER, places=[str(folder)], title=name, actor="test"
    )
    closed = False
    for stage in STAGES:
        try:
            run_stage(runtime, TENANT, source.id, stage)
        except GateClosedError:
            closed = True
            break
    records = {Stage(record.stage): record for record in every_record(runtime, source)}
    assert closed or list(records) == list(STAGES)
    files = sum(path.is_file() for path in folder.rglob("*"))
    received, identified = records[Stage.RECEIVE], records[Stage.IDENTIFY]
    assert received.counts[0].rows_in >= files
    assert identified.counts[0].rows_in == received.counts[0].emitted
    codes = {
        row["code"]
        for record in (received, identified)
        for frame in runtime.stage_store(TENANT).read(record.output_digest).rejects()
        for row in frame.to_dict("records")
        if row["disposition"] == Disposition.QUARANTINED
    }
    assert codes <= expected

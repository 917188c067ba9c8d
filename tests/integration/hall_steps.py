"""Files that say of one hall how many it holds, taken through all stages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import sources
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source

HEADER = "name_en,name_th,capacity,postcode,lat,lon"
HALL = "Makham Bay Convention Centre,ศูนย์ประชุมอ่าวมะขาม,{capacity},83000,7.8312,98.4071"


def csv_file(folder: Path, capacity: int, name: str = "halls.csv") -> Path:
    path = folder / name
    path.write_text(f"{HEADER}\n{HALL.format(capacity=capacity)}\n", encoding="utf-8")
    return path


def assembled(runtime: Runtime, tenant: TenantId, origin: Origin, mode: UnitMode, *paths: Path) -> Source:
    source = sources.add_source(
        runtime, tenant, origin=origin, unit_mode=mode, places=[str(path) for path in paths], title=origin,
        actor="test", observed_at=datetime(2026, 5, 1, tzinfo=UTC),
    )  # fmt: skip
    for stage in STAGES:
        run_stage(runtime, tenant, source.id, stage)
    return source

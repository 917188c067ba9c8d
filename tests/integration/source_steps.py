"""A file that is handed in, the way it takes, and what is known of it then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import sources
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.coverage.reading import read_coverage, verdict_of_tenant
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import StageRecord

HALLS = "name_en,name_th,postcode\nPhuket Hall,หอประชุมภูเก็ต,83000\nKata Pavilion,ศาลากะตะ,83100\n"


def handed_in(runtime: Runtime, tenant: TenantId, folder: Path, content: str = HALLS, **said: Any) -> Source:
    """A file as somebody hands it in who says no more than must be said."""
    path = folder / "halls.csv"
    path.write_text(content, encoding="utf-8")
    given = {"title": "Halls", "origin": Origin.PARTNER_DOC, **said}
    return sources.add_source(
        runtime, tenant, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)], actor="kanya", **given
    )


def walk(runtime: Runtime, source: Source) -> list[StageRecord]:
    """Take a source all the way, as a run does."""
    records = [run_stage(runtime, source.tenant, source.id, stage) for stage in STAGES]
    records.append(update_conflicts(runtime, source.tenant, source.id))
    return [*records, update_coverage(runtime, source.tenant, source.id)]


def standing(runtime: Runtime, source: Source) -> Source:
    with runtime.database.tenant(source.tenant) as connection:
        return sources.get_source(connection, source.tenant, source.id)


def band(runtime: Runtime, tenant: TenantId, dimension: str, source: SourceId | None = None) -> Band:
    """The band of a tenant, or of one of its sources, in a dimension."""
    (found,) = [each.found for each in read_coverage(runtime, tenant, source) if each.dimension.id == dimension]
    return found.band


def audited(runtime: Runtime, tenant: TenantId, action: str) -> list[dict[str, Any]]:
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(
            "SELECT actor, subject, details FROM runtime.audit_log WHERE tenant_id = %s AND action = %s"
            " ORDER BY sequence",
            (tenant, action),
        ).fetchall()


def lacks_rights(runtime: Runtime, tenant: TenantId) -> bool:
    return any(reason.startswith("rights_and_privacy") for reason in verdict_of_tenant(runtime, tenant).reasons)

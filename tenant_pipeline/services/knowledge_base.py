"""Reading the draft knowledge base: statements with all that tells where they come from."""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.statements import statements_of


def list_statements(
    runtime: Runtime,
    tenant: TenantId,
    *,
    source: SourceId | None,
    canonical_id: str | None,
    property_: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Statements in the order of entity, property, language and authority, at most `limit`."""
    with runtime.database.tenant(tenant) as connection:
        return statements_of(
            connection, tenant, source=source, canonical_id=canonical_id, property_=property_, limit=limit
        )

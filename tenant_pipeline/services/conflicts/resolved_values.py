"""The value of each disputed property: what somebody signed or, marked as unsigned, what the rules propose."""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime


def resolved_values(
    runtime: Runtime, tenant: TenantId, *, canonical_id: str | None = None, limit: int = 1000
) -> list[dict[str, Any]]:
    """The resolved values of the tenant, or of one entity; a property whose sources are all right has several.

    What no two sources write differently is not among them: it needs no resolving. `signed` is false for what is only
    proposed. No statement is changed by any of it.
    """
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(
            """
            SELECT conflict_id, canonical_id, type, property, lang, value, source_id, statement_id, decision, signed,
                   person, role, signed_at, candidates_digest
              FROM runtime.resolved_values
             WHERE tenant_id = %(tenant)s AND (%(canonical_id)s::text IS NULL OR canonical_id = %(canonical_id)s)
             ORDER BY canonical_id, property, lang, value
             LIMIT %(limit)s
            """,
            {"tenant": tenant, "canonical_id": canonical_id, "limit": limit},
        ).fetchall()

"""Reading the draft knowledge base: statements with all that tells where they come from."""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.runtime import Runtime


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
        return connection.execute(
            """
            SELECT statement_id, source_id, entity_id, canonical_id, type, property, value, raw_value, lang, datatype,
                   locator, method, authority_tier, observed_at, valid_from, valid_to, first_seen, last_seen
              FROM runtime.statement_facts
             WHERE tenant_id = %(tenant)s
               AND (%(source)s::text IS NULL OR source_id = %(source)s)
               AND (%(entity)s::text IS NULL OR canonical_id = %(entity)s)
               AND (%(property)s::text IS NULL OR property = %(property)s)
             ORDER BY canonical_id, property, lang, authority_tier, statement_id, source_id
             LIMIT %(limit)s
            """,
            {"tenant": tenant, "source": source, "entity": canonical_id, "property": property_, "limit": limit},
        ).fetchall()

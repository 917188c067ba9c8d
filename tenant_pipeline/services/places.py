"""The positions of a tenant's entities, as its draft has them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime

MOST_PLACES = 5_000


@dataclass(frozen=True)
class Places:
    """GeoJSON features, a point an entity; `cut` where there are more of them."""

    features: list[dict[str, Any]]
    cut: bool


def places_of(runtime: Runtime, tenant: TenantId) -> Places:
    """Where each entity is, as its source of most authority says; of at most MOST_PLACES entities."""
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            """
            WITH place AS MATERIALIZED (
                SELECT DISTINCT ON (said.canonical_id) said.canonical_id, said.value
                  FROM runtime.statements AS said
                  JOIN runtime.tenant_sources AS source
                    ON source.tenant_id = said.tenant_id AND source.id = said.source_id
                 WHERE said.tenant_id = %(tenant)s AND said.property = 'geo' AND said.retired_at IS NULL
                 ORDER BY said.canonical_id, source.authority_rank, said.source_id, said.statement_id
                 LIMIT %(limit)s)
            SELECT place.canonical_id, place.value, coalesce(
                       (SELECT jsonb_object_agg(lang, value) FROM (
                            SELECT DISTINCT ON (name.lang) name.lang, name.value FROM runtime.statements AS name
                             WHERE name.tenant_id = %(tenant)s AND name.canonical_id = place.canonical_id
                               AND name.property = 'name' AND name.retired_at IS NULL
                             ORDER BY name.lang, name.value) AS names), '{}') AS names
              FROM place
            """,
            {"tenant": tenant, "limit": MOST_PLACES + 1},
        ).fetchall()
    found = []
    for row in rows[:MOST_PLACES]:
        with suppress(ValueError):
            north, east = (float(part) for part in row["value"].split(","))
            geometry = {"type": "Point", "coordinates": [east, north]}
            names = {"names": row["names"]}
            found.append({"type": "Feature", "id": row["canonical_id"], "geometry": geometry, "properties": names})
    return Places(found, cut=len(rows) > MOST_PLACES)

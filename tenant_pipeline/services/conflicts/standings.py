"""What is known of a tenant's sources from what they say beside one another: a sample of bounded size, at any size."""

from __future__ import annotations

import pandas as pd

from tenant_pipeline.core.conflict.comparison import AI_ORIGINS
from tenant_pipeline.core.conflict.standing import SourceStanding, source_standings
from tenant_pipeline.core.statement import AI_MARK, AI_TIER
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.core.vocabulary import Vocabulary
from tenant_pipeline.services.stage_records import Connection

SAMPLED_ENTITIES = 3_000
"""So many entities that several sources speak of. Canonical ids are digests, so the first by id are a random sample,
and the same one as long as the tenant's entities are the same."""

_CLAIMS = """
WITH sampled AS MATERIALIZED (
    SELECT canonical_id FROM runtime.entity_members
     WHERE tenant_id = %(tenant)s
     GROUP BY canonical_id HAVING count(DISTINCT source_id) >= 2
     ORDER BY canonical_id LIMIT %(limit)s
)
SELECT DISTINCT said.canonical_id || ' ' || said.property || ' ' || said.lang AS item, said.source_id, said.value
  FROM sampled
  JOIN runtime.statements AS said ON said.tenant_id = %(tenant)s AND said.canonical_id = sampled.canonical_id
  JOIN runtime.tenant_sources AS source ON source.tenant_id = %(tenant)s AND source.id = said.source_id
 WHERE said.property = ANY(%(properties)s)
   AND said.last_seen >= coalesce(source.assembled_at, '-infinity')
   AND source.origin <> ALL(%(ai_origins)s) AND source.authority_rank < %(ai_tier)s
   AND NOT starts_with(said.method, %(ai_mark)s)
 ORDER BY item, source_id, value
"""


def standings_of(connection: Connection, tenant: TenantId, vocabulary: Vocabulary) -> dict[str, SourceStanding]:
    """The standing of each of the tenant's sources; empty where they share too little. AI text is no record."""
    single = [name for name, definition in vocabulary.properties.items() if not definition.multi_valued]
    parameters = {
        "tenant": tenant,
        "limit": SAMPLED_ENTITIES,
        "properties": single,
        "ai_origins": sorted(AI_ORIGINS),
        "ai_tier": AI_TIER,
        "ai_mark": AI_MARK,
    }
    rows = connection.execute(_CLAIMS, parameters).fetchall()
    return source_standings(pd.DataFrame(rows, columns=["item", "source_id", "value"]))

"""What is known of a tenant's sources from what they say beside one another: a sample of bounded size, at any size.

The estimate is over all sources, and one more of many hardly moves it. So it is kept, and made anew when more than one
in twenty of the sources was assembled since: with fewer than twenty, each time. What a tenant pays for it is then in
proportion to its sources, and not to their square.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd
from psycopg.types.json import Jsonb

from tenant_pipeline.core.conflict.comparison import AI_ORIGINS
from tenant_pipeline.core.conflict.standing import SourceStanding, source_standings
from tenant_pipeline.core.statement import AI_MARK, AI_TIER
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.core.vocabulary import Vocabulary
from tenant_pipeline.storage.database import Connection

SAMPLED_ENTITIES = 3_000
"""So many entities that several sources speak of. Canonical ids are digests, so the first by id are a random sample,
and the same one as long as the tenant's entities are the same."""
ONE_IN = 20
"""An estimate stands as long as no more than one in so many sources was assembled since."""

_KEPT = """
SELECT kept.standings,
       greatest(now_there.sources - kept.sources, now_there.since) * %(one_in)s > now_there.sources AS outdated
  FROM runtime.source_standings AS kept
 CROSS JOIN LATERAL (
       SELECT count(*) AS sources, count(*) FILTER (WHERE assembled_at > kept.up_to) AS since
         FROM runtime.tenant_sources
        WHERE tenant_id = %(tenant)s AND assembled_at IS NOT NULL) AS now_there
 WHERE kept.tenant_id = %(tenant)s
"""

_KEEP = """
INSERT INTO runtime.source_standings AS kept (tenant_id, standings, sources, up_to)
SELECT %(tenant)s, %(standings)s, count(*), coalesce(max(assembled_at), '-infinity')
  FROM runtime.tenant_sources WHERE tenant_id = %(tenant)s AND assembled_at IS NOT NULL
ON CONFLICT (tenant_id) DO UPDATE
   SET standings = excluded.standings, sources = excluded.sources, up_to = excluded.up_to
"""

# Entity by entity through the index, whatever the planner believes of tables that nothing has counted yet.
_CLAIMS = """
WITH sampled AS MATERIALIZED (
    SELECT canonical_id FROM runtime.entity_members
     WHERE tenant_id = %(tenant)s
     GROUP BY canonical_id HAVING min(source_id) <> max(source_id)
     ORDER BY canonical_id LIMIT %(limit)s
)
SELECT DISTINCT said.canonical_id || ' ' || said.property || ' ' || said.lang AS item, said.source_id, said.value
  FROM sampled
 CROSS JOIN LATERAL (
       SELECT canonical_id, property, lang, source_id, value FROM runtime.statements
        WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id = sampled.canonical_id AND retired_at IS NULL
          AND property = ANY(%(properties)s) AND NOT starts_with(method, %(ai_mark)s)
       OFFSET 0) AS said
 CROSS JOIN LATERAL (
       SELECT FROM runtime.tenant_sources
        WHERE tenant_id = (SELECT %(tenant)s::text) AND id = said.source_id
          AND origin <> ALL(%(ai_origins)s) AND authority_rank < %(ai_tier)s
       OFFSET 0) AS source
 ORDER BY item, source_id, value
"""


def standings_of(connection: Connection, tenant: TenantId, vocabulary: Vocabulary) -> Mapping[str, SourceStanding]:
    """The standing of each of the tenant's sources; empty where they share too little. AI text is no record.

    The caller holds the tenant's lock on its conflicts.
    """
    kept = connection.execute(_KEPT, {"tenant": tenant, "one_in": ONE_IN}).fetchone()
    if kept is not None and not kept["outdated"]:
        return {each["source_id"]: _standing(each) for each in kept["standings"]}
    found = source_standings(_claims(connection, tenant, vocabulary))
    connection.execute(_KEEP, {"tenant": tenant, "standings": Jsonb([asdict(each) for each in found.values()])})
    return found


def _claims(connection: Connection, tenant: TenantId, vocabulary: Vocabulary) -> pd.DataFrame:
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
    return pd.DataFrame(rows, columns=["item", "source_id", "value"])


def _standing(kept: Mapping[str, Any]) -> SourceStanding:
    return SourceStanding(kept["source_id"], kept["trust"], tuple(kept["copies_of"]))

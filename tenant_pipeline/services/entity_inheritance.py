"""Rows that changed in what linking does not look at, put in the place of the rows that they were, in the database."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from typing import Self

from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.linking.entity_index import Said
from tenant_pipeline.storage.database import ALLOW_MEMORY, Connection

_STAGE = """
CREATE TEMPORARY TABLE said_now (
    entity_id text PRIMARY KEY, source_table text, features jsonb, features_digest text
) ON COMMIT DROP
"""

_COPY = "COPY pg_temp.said_now FROM STDIN"

_ANY_HEIR = "SELECT EXISTS (SELECT FROM pg_temp.said_now WHERE features IS NOT NULL) AS found"

# Set against set, because each is of the whole source: as many as its rows where it is new to this version of the code.
_HAND_ON = """
WITH heirs AS MATERIALIZED (
    SELECT source_table, features, min(entity_id) AS entity_id, min(features_digest) AS features_digest
      FROM pg_temp.said_now
     WHERE features IS NOT NULL
     GROUP BY source_table, features
    HAVING count(*) = 1
),
held AS MATERIALIZED (
    SELECT DISTINCT member.home_id
      FROM runtime.entity_members AS member JOIN pg_temp.said_now USING (entity_id)
     WHERE member.tenant_id = (SELECT %(tenant)s::text) AND member.source_id = %(source)s
),
gone AS MATERIALIZED (
    SELECT member.entity_id, member.source_table, member.home_id, member.canonical_id, member.method, member.score,
           member.explanation
      FROM runtime.entity_members AS member
     WHERE member.tenant_id = (SELECT %(tenant)s::text) AND member.source_id = %(source)s
       AND NOT EXISTS (SELECT FROM pg_temp.said_now WHERE said_now.entity_id = member.entity_id)
       AND NOT EXISTS (SELECT FROM held WHERE held.home_id = member.home_id)
),
found AS (
    SELECT heirs.entity_id AS heir, heirs.features_digest, gone.*,
           min(gone.home_id) OVER of_heir AS least_home, max(gone.home_id) OVER of_heir AS last_home
      FROM gone
      JOIN runtime.entity_features AS kept ON kept.tenant_id = (SELECT %(tenant)s::text)
        AND kept.canonical_id = gone.home_id
      JOIN heirs ON heirs.source_table = gone.source_table AND heirs.features = kept.features
    WINDOW of_heir AS (PARTITION BY heirs.entity_id)
)
INSERT INTO runtime.entity_members
       (tenant_id, source_id, entity_id, canonical_id, method, score, explanation, home_id, source_table,
        features_digest)
SELECT DISTINCT ON (heir) %(tenant)s, %(source)s, heir, canonical_id, method, score, explanation, home_id, source_table,
       features_digest
  FROM found
 WHERE least_home = last_home
 ORDER BY heir, entity_id
"""


class EntityInheritance:
    """What a source speaks of now, noted batch by batch, over a connection logged in as the tenant."""

    def __init__(self, connection: Connection, tenant: TenantId, source: SourceId) -> None:
        self._connection = connection
        self._parameters = {"tenant": tenant, "source": source}

    def __enter__(self) -> Self:
        self._connection.execute(_STAGE)
        return self

    def __exit__(self, exception_type: type[BaseException] | None, *exception: object) -> None:
        if exception_type is None:
            self._connection.execute("DROP TABLE pg_temp.said_now")

    def note(self, said: Sequence[Said], members: Container[str]) -> None:
        """Note entities that the source speaks of now; those that are `members` already inherit nothing."""
        with self._connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for each in said:
                heir = each.heir if each.entity_id not in members else None
                copy.write_row(
                    (each.entity_id, heir.table, json.dumps(heir.as_json(), ensure_ascii=False), each.features_digest)
                    if heir is not None
                    else (each.entity_id, None, None, None)
                )

    def hand_on(self) -> None:
        """Make heirs members, see `EntityIndex.hand_on`."""
        row = self._connection.execute(_ANY_HEIR).fetchone()
        if row is None or not row["found"]:
            return
        self._connection.execute("ANALYZE pg_temp.said_now")
        self._connection.execute(ALLOW_MEMORY)
        self._connection.execute(_HAND_ON, self._parameters)

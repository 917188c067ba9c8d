"""What linking found, written to the tenant's entities batch by batch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.linking.blocking import packed_keys
from tenant_pipeline.linking.entity_index import Home, Member, Proposal, explanation_texts
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.pair import pair_id
from tenant_pipeline.services.blocking_key_rows import BlockingKeyRows
from tenant_pipeline.storage.database import Connection

# PostgreSQL takes no COPY into a table with row level security: rows go into these and from there in one statement.
_STAGE = """
CREATE TEMPORARY TABLE new_homes (
    home_id text, type text, family text, merged_into text, attached_to text, bits double precision, features jsonb,
    telling boolean
) ON COMMIT DROP;
CREATE TEMPORARY TABLE new_identifiers (type text, scheme text, value text, home_id text) ON COMMIT DROP;
CREATE TEMPORARY TABLE new_members (
    entity_id text, home_id text, canonical_id text, method text, score double precision, explanation jsonb,
    source_table text, features_digest text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE new_proposals (
    id text, left_id text, right_id text, score double precision, explanation jsonb
) ON COMMIT DROP;
CREATE TEMPORARY TABLE telling_homes (home_id text PRIMARY KEY) ON COMMIT DROP;
CREATE TEMPORARY TABLE linked_now (entity_id text PRIMARY KEY, seen_before boolean) ON COMMIT DROP
"""

_NOTE_TELLING_HOMES = """
INSERT INTO pg_temp.telling_homes SELECT home_id FROM pg_temp.new_homes WHERE telling ON CONFLICT DO NOTHING
"""
# The homes of one batch are of one age, and younger than what they are attached to, also where the clock was set back.
_KEEP_HOMES = """
WITH present AS MATERIALIZED (
    SELECT greatest(statement_timestamp(), max(older.born_at) + interval '1 microsecond') AS at
      FROM (SELECT merged_into AS id FROM pg_temp.new_homes WHERE merged_into IS NOT NULL
             UNION
            SELECT attached_to FROM pg_temp.new_homes WHERE attached_to <> '') AS tied
      CROSS JOIN LATERAL (
            SELECT born_at FROM runtime.entities
             WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id = tied.id OFFSET 0) AS older
)
INSERT INTO runtime.entities AS known
       (tenant_id, canonical_id, type, family, created_by_source, born_at, merged_into, attached_to, attached_bits)
SELECT %(tenant)s, home_id, type, family, %(source)s, present.at, merged_into, attached_to, bits
  FROM pg_temp.new_homes, present ORDER BY home_id
ON CONFLICT (tenant_id, canonical_id) DO UPDATE
   SET merged_into = excluded.merged_into, attached_to = excluded.attached_to, born_at = excluded.born_at,
       attached_bits = excluded.attached_bits
 WHERE excluded.attached_to <> ''
"""
_KEEP_FEATURES = """
INSERT INTO runtime.entity_features AS known (tenant_id, canonical_id, features)
SELECT %(tenant)s, home_id, features FROM pg_temp.new_homes ORDER BY home_id
ON CONFLICT (tenant_id, canonical_id) DO UPDATE SET features = excluded.features
 WHERE known.features <> excluded.features
"""
_KEEP_IDENTIFIERS = """
INSERT INTO runtime.entity_keys (tenant_id, kind, type, scheme, value, canonical_id)
SELECT %(tenant)s, 'identifier', type, scheme, value, home_id FROM pg_temp.new_identifiers
 ORDER BY type, scheme, value, home_id
ON CONFLICT DO NOTHING
"""
_KEEP_MEMBERS = """
INSERT INTO runtime.entity_members
       (tenant_id, source_id, entity_id, canonical_id, method, score, explanation, home_id, source_table,
        features_digest)
SELECT %(tenant)s, %(source)s, entity_id, canonical_id, method, score, explanation, home_id, source_table,
       features_digest
  FROM pg_temp.new_members ORDER BY entity_id
ON CONFLICT (tenant_id, source_id, entity_id) DO UPDATE
   SET canonical_id = excluded.canonical_id, method = excluded.method, score = excluded.score,
       explanation = excluded.explanation, features_digest = excluded.features_digest
"""
_NOTE_CHANGES = """
UPDATE runtime.entity_members AS member SET features_digest = changed.digest
  FROM unnest(%(changed)s::text[], %(digests)s::text[]) AS changed (entity_id, digest)
 WHERE member.tenant_id = (SELECT %(tenant)s::text) AND member.source_id = %(source)s
   AND member.entity_id = changed.entity_id
"""
_KEEP_PROPOSALS = """
INSERT INTO runtime.judgements AS known (tenant_id, id, left_id, right_id, judgement, score, explanation, status)
SELECT DISTINCT ON (id) %(tenant)s, id, left_id, right_id, 'unsure', score, explanation, 'proposed'
  FROM pg_temp.new_proposals ORDER BY id, score DESC
ON CONFLICT (tenant_id, id) DO UPDATE
   SET status = 'proposed', score = excluded.score, explanation = excluded.explanation
 WHERE known.status = 'reverted'
"""


class EntityAdditions:
    """Homes, members and proposals on their way into the tables, over a connection logged in as the tenant."""

    def __init__(self, connection: Connection, tenant: TenantId, source: SourceId, keys: BlockingKeyRows) -> None:
        self._connection = connection
        self._parameters = {"tenant": tenant, "source": source}
        self._keys = keys
        connection.execute(_STAGE)

    def write(
        self,
        seen: Sequence[str],
        changed: Mapping[str, str],
        members: Sequence[Member],
        homes: Mapping[str, Home],
        proposals: Sequence[Proposal],
        perhaps_known: Sequence[str],
    ) -> None:
        """Write what `PostgresEntityIndex.add` was given. No home but those `perhaps_known` is there already."""
        known = self._known(perhaps_known)
        merged = {
            name: known[name].merged_with(home.features) if name in known else home.features
            for name, home in homes.items()
        }
        stage = "TRUNCATE pg_temp.new_homes, pg_temp.new_identifiers, pg_temp.new_members, pg_temp.new_proposals"
        self._connection.execute(stage)
        self._copy(
            "new_homes",
            (
                (
                    name,
                    merged[name].type,
                    home.family,
                    home.canonical_id if home.canonical_id != name else None,
                    home.attached_to,
                    home.bits,
                    merged[name].as_text(),
                    name in known or home.canonical_id != name or bool(home.attached_to),
                )
                for name, home in homes.items()
            ),
        )
        self._copy(
            "new_identifiers",
            (
                (home.features.type, scheme, value, name)
                for name, home in homes.items()
                for scheme, value in home.features.identifiers
            ),
        )
        self._keys.add(
            {
                name: packed_keys(home.family, home.features) if home.keys is None else home.keys
                for name, home in homes.items()
            }
        )
        self._copy(
            "new_members",
            (
                (each.entity_id, each.home_id, each.canonical_id, each.method, each.score, explanation,
                 each.table, each.features_digest)
                for each, explanation in zip(members, explanation_texts(members), strict=True)
            ),
        )  # fmt: skip
        self._copy(
            "new_proposals",
            (
                (pair_id(each.left_id, each.right_id), each.left_id, each.right_id, each.score,
                 json.dumps(dict(each.explanation), ensure_ascii=False))
                for each in proposals
            ),
        )  # fmt: skip
        for statement in (
            _NOTE_TELLING_HOMES,
            _KEEP_HOMES,
            _KEEP_FEATURES,
            _KEEP_IDENTIFIERS,
            _KEEP_MEMBERS,
            _KEEP_PROPOSALS,
        ):
            self._connection.execute(statement, self._parameters)
        if changed:
            noted = {"changed": list(changed), "digests": list(changed.values())}
            self._connection.execute(_NOTE_CHANGES, {**self._parameters, **noted})
        new = [each.entity_id for each in members]
        self._connection.execute(
            "INSERT INTO pg_temp.linked_now SELECT * FROM unnest(%s::text[], %s::boolean[]) ON CONFLICT DO NOTHING",
            ([*seen, *new], [*(True for _ in seen), *(False for _ in new)]),
        )

    def _known(self, homes: Sequence[str]) -> dict[str, Features]:
        """What was known until now of those of the homes that are there."""
        if not homes:
            return {}
        rows = self._connection.execute(
            """
            SELECT kept.*
              FROM unnest(%(ids)s::text[]) AS wanted (id)
              CROSS JOIN LATERAL (
                    SELECT canonical_id, features FROM runtime.entity_features
                     WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id = wanted.id OFFSET 0) AS kept
            """,
            {**self._parameters, "ids": sorted(homes)},
        )
        return {row["canonical_id"]: Features.from_json(row["canonical_id"], row["features"]) for row in rows}

    def _copy(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(f"COPY pg_temp.{table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

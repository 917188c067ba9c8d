"""The tenant's entities in the database, as linking finds them and adds to them. One transaction, one tenant."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, LiteralString

from psycopg.rows import dict_row, tuple_row

from tenant_pipeline.core.digest import short_id
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.linking.blocking import packed_keys
from tenant_pipeline.linking.entity_index import Holder, Home, Known, KnownMember, Member, Proposal, explanation_texts
from tenant_pipeline.linking.features import Features
from tenant_pipeline.services.blocking_key_rows import BlockingKeyRows
from tenant_pipeline.storage.database import Connection

MEMBERS_AT_ONCE = 5_000

# Lookups go row by row through an index (LATERAL … OFFSET 0), whatever the planner believes: in the transaction that
# fills the tables nothing has counted them yet, and a scan of a million entities a batch is quadratic.

# PostgreSQL takes no COPY into a table with row level security: rows go into these and from there in one statement.
_STAGE = """
CREATE TEMPORARY TABLE new_homes (
    home_id text, type text, family text, merged_into text, attached_to text, bits double precision, features jsonb
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

# The kind is asked for in a way that hides it from the planner: the index of identifiers by tenant and entity would
# serve it too, and be read from its beginning for each key, which is quadratic.
_LOOK_UP = """
SELECT wanted.scheme, wanted.value, home.canonical_id, coalesce(home.merged_into, home.canonical_id)
  FROM unnest(%(schemes)s::text[], %(values)s::text[]) AS wanted (scheme, value)
  CROSS JOIN LATERAL (
        SELECT canonical_id FROM runtime.entity_keys
         WHERE tenant_id = %(tenant)s AND kind = (SELECT %(kind)s::text) AND type = %(type)s
           AND scheme = wanted.scheme AND value = wanted.value
         ORDER BY canonical_id LIMIT 1) AS known
  CROSS JOIN LATERAL (
        SELECT canonical_id, merged_into FROM runtime.entities
         WHERE tenant_id = %(tenant)s AND canonical_id = known.canonical_id OFFSET 0) AS home
"""

_NOTE_TELLING_HOMES = """
INSERT INTO pg_temp.telling_homes
SELECT home_id FROM pg_temp.new_homes AS new
 WHERE attached_to <> '' OR merged_into IS NOT NULL
    OR EXISTS (SELECT FROM runtime.entities WHERE tenant_id = %(tenant)s AND canonical_id = new.home_id)
ON CONFLICT DO NOTHING
"""
# The homes of one batch are of one age, and younger than what they are attached to.
_KEEP_HOMES = """
INSERT INTO runtime.entities AS known
       (tenant_id, canonical_id, type, family, created_by_source, born_at, merged_into, attached_to, attached_bits)
SELECT %(tenant)s, home_id, type, family, %(source)s, statement_timestamp(), merged_into, attached_to, bits
  FROM pg_temp.new_homes ORDER BY home_id
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
 WHERE member.tenant_id = %(tenant)s AND member.source_id = %(source)s AND member.entity_id = changed.entity_id
"""
_KEEP_PROPOSALS = """
INSERT INTO runtime.judgements (tenant_id, id, left_id, right_id, judgement, score, explanation, status)
SELECT %(tenant)s, id, left_id, right_id, 'unsure', score, explanation, 'proposed'
  FROM pg_temp.new_proposals ORDER BY id
ON CONFLICT DO NOTHING
"""


class PostgresEntityIndex:
    """An EntityIndex over a connection logged in as the tenant. It holds the tenant's linking lock until it commits."""

    def __init__(self, connection: Connection, tenant: TenantId, source: SourceId) -> None:
        self._connection = connection
        self._tenant = tenant
        self._source = source
        lock_identity(connection, tenant)
        connection.execute(_STAGE)
        self._parameters = {"tenant": tenant, "source": source}
        self._first = not self._is_there("runtime.entities WHERE tenant_id = %(tenant)s")
        self.source_is_new = not self._is_there(
            "runtime.entity_members WHERE tenant_id = %(tenant)s AND source_id = %(source)s"
        )
        self._keys = BlockingKeyRows(connection, tenant, empty=self._first)

    def members(self, entity_ids: Sequence[str]) -> dict[str, KnownMember]:
        """The entities of this source that an earlier run has linked."""
        if self.source_is_new:
            return {}
        rows = self._connection.execute(
            """
            SELECT member.*
              FROM unnest(%(ids)s::text[]) AS wanted (id)
              CROSS JOIN LATERAL (
                    SELECT entity_id, home_id, canonical_id, features_digest FROM runtime.entity_members
                     WHERE tenant_id = %(tenant)s AND source_id = %(source)s AND entity_id = wanted.id
                    OFFSET 0) AS member
            """,
            {**self._parameters, "ids": list(entity_ids)},
        )
        return {row.pop("entity_id"): KnownMember(**row) for row in rows}

    def by_identifier(self, type_: str, identifiers: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        """What is known under each (scheme, value) for the type."""
        wanted = sorted(identifiers)
        if not wanted:
            return {}
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(
                _LOOK_UP,
                {
                    "schemes": [scheme for scheme, _ in wanted],
                    "values": [value for _, value in wanted],
                    "tenant": self._tenant,
                    "kind": "identifier",
                    "type": type_,
                },
            )
            return {(scheme, value): Known(home, canonical) for scheme, value, home, canonical in rows}

    def by_blocking_key(self, keys: Iterable[int], *, alone: bool = False) -> dict[int, list[Known]]:
        """What is known under each blocking key, in order; keys that too many share are left out, and for a table of
        keyed rows that is alone in its source those that its own new rows have to themselves: all of them where the
        tenant knew nothing before."""
        if alone and self._first and not self._is_there("pg_temp.telling_homes"):
            return {}
        return self._keys.homes(keys, alone=alone)

    def features(self, canonical_ids: Iterable[str]) -> dict[str, Features]:
        """What is known of these canonical entities, from all their homes: their own first."""
        rows = self._connection.execute(
            """
            SELECT wanted.id AS canonical_id, kept.canonical_id AS home_id, kept.features
              FROM unnest(%(ids)s::text[]) AS wanted (id)
              CROSS JOIN LATERAL (
                    SELECT wanted.id AS home_id
                     UNION ALL
                    SELECT canonical_id FROM runtime.entities
                     WHERE tenant_id = %(tenant)s AND merged_into = wanted.id) AS home
              CROSS JOIN LATERAL (
                    SELECT canonical_id, features FROM runtime.entity_features
                     WHERE tenant_id = %(tenant)s AND canonical_id = home.home_id OFFSET 0) AS kept
            """,
            {"ids": sorted(canonical_ids), "tenant": self._tenant},
        ).fetchall()
        found: dict[str, Features] = {}
        for row in sorted(rows, key=lambda row: (row["home_id"] != row["canonical_id"], row["home_id"])):
            name = row["canonical_id"]
            each = Features.from_json(name, row["features"])
            found[name] = found[name].merged_with(each) if name in found else each
        return found

    def holders(self, canonical_ids: Iterable[str]) -> dict[tuple[str, str], Holder]:
        """The rows of this source by canonical entity and table; those of this run with the bits they came in by."""
        rows = self._connection.execute(
            """
            SELECT member.canonical_id, member.source_table, member.entity_id, member.home_id,
                   CASE WHEN linked_now.entity_id IS NOT NULL AND NOT linked_now.seen_before
                         AND member.method = 'score' AND member.of_home = 1 THEN home.attached_bits END AS bits
              FROM unnest(%(ids)s::text[]) AS wanted (id)
              CROSS JOIN LATERAL (
                    SELECT source_id, canonical_id, source_table, entity_id, home_id, method,
                           count(*) OVER (PARTITION BY home_id) AS of_home
                      FROM runtime.entity_members
                     WHERE tenant_id = %(tenant)s AND canonical_id = wanted.id) AS member
              CROSS JOIN LATERAL (
                    SELECT attached_bits FROM runtime.entities
                     WHERE tenant_id = %(tenant)s AND canonical_id = member.home_id OFFSET 0) AS home
              LEFT JOIN pg_temp.linked_now ON linked_now.entity_id = member.entity_id
             WHERE member.source_id = %(source)s
             ORDER BY bits NULLS LAST, member.entity_id
            """,
            {**self._parameters, "ids": sorted(canonical_ids)},
        )
        return {
            (row["canonical_id"], row["source_table"]): Holder(row["entity_id"], row["home_id"], row["bits"])
            for row in rows
        }

    def judged(self, home_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """What people have decided of these ids: `different` comes last where the other's homes were judged otherwise
        too."""
        rows = self._connection.execute(
            """
            SELECT said.own, coalesce(home.merged_into, said.other) AS other, said.judgement
              FROM unnest(%(ids)s::text[]) AS wanted (id)
              CROSS JOIN LATERAL (
                    SELECT left_id AS own, right_id AS other, judgement FROM runtime.judgements
                     WHERE tenant_id = %(tenant)s AND left_id = wanted.id AND status = 'decided'
                     UNION ALL
                    SELECT right_id, left_id, judgement FROM runtime.judgements
                     WHERE tenant_id = %(tenant)s AND right_id = wanted.id AND status = 'decided') AS said
              LEFT JOIN runtime.entities AS home ON home.tenant_id = %(tenant)s AND home.canonical_id = said.other
             ORDER BY said.judgement = 'different', said.judgement = 'unsure', said.own, other
            """,
            {"ids": sorted(home_ids), "tenant": self._tenant},
        )
        return [(row["own"], row["other"], row["judgement"]) for row in rows]

    def release(self, homes: Sequence[str]) -> list[Features]:
        """Take homes of this run from what they were attached to; returns their entities, to be matched again."""
        self._connection.execute(
            """
            UPDATE runtime.entities SET merged_into = NULL, attached_to = '', attached_bits = NULL
             WHERE tenant_id = %s AND canonical_id = ANY(%s)
            """,
            (self._tenant, list(homes)),
        )
        rows = self._connection.execute(
            """
            UPDATE runtime.entity_members AS member SET canonical_id = member.home_id, method = 'new'
              FROM runtime.entity_features AS kept
             WHERE member.tenant_id = %(tenant)s AND member.source_id = %(source)s AND member.home_id = ANY(%(homes)s)
               AND member.entity_id IN (SELECT entity_id FROM pg_temp.linked_now)
               AND kept.tenant_id = %(tenant)s AND kept.canonical_id = member.home_id
            RETURNING member.entity_id, member.source_table, kept.features
            """,
            {**self._parameters, "homes": list(homes)},
        ).fetchall()
        released = []
        for row in sorted(rows, key=lambda row: str(row["entity_id"])):
            features = Features.from_json(row["entity_id"], row["features"])
            features.table = row["source_table"]
            released.append(features)
        return released

    def add(
        self,
        seen: Sequence[str],
        changed: Mapping[str, str],
        members: Sequence[Member],
        homes: Mapping[str, Home],
        proposals: Sequence[Proposal],
    ) -> None:
        """Keep members, their homes with the keys that follow, and pairs to judge; `seen` are members already, of which
        `changed` have other features than before: the digest of these by entity."""
        merged = self._merged_with_known(homes)
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
                    json.dumps(merged[name].as_json(), ensure_ascii=False),
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
                (short_id("jud-", (each.left_id, each.right_id)), each.left_id, each.right_id, each.score,
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

    def _merged_with_known(self, homes: Mapping[str, Home]) -> dict[str, Features]:
        rows = self._connection.execute(
            """
            SELECT kept.*
              FROM unnest(%(ids)s::text[]) AS wanted (id)
              CROSS JOIN LATERAL (
                    SELECT canonical_id, features FROM runtime.entity_features
                     WHERE tenant_id = %(tenant)s AND canonical_id = wanted.id OFFSET 0) AS kept
            """,
            {"ids": sorted(homes), "tenant": self._tenant},
        )
        known = {row["canonical_id"]: Features.from_json(row["canonical_id"], row["features"]) for row in rows}
        return {
            name: known[name].merged_with(home.features) if name in known else home.features
            for name, home in homes.items()
        }

    def _is_there(self, rows: LiteralString) -> bool:
        found = self._connection.execute(f"SELECT EXISTS (SELECT FROM {rows}) AS found", self._parameters).fetchone()
        return found is not None and bool(found["found"])

    def _copy(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(f"COPY pg_temp.{table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def linked(self) -> Iterator[list[Member]]:
        """All entities of this run, in the order of their ids."""
        self._keys.write()
        with self._connection.cursor(name="linked", row_factory=dict_row) as cursor:
            cursor.execute(
                """
                SELECT member.entity_id, member.canonical_id, home.type, member.method, member.score,
                       member.explanation::text, member.home_id, member.source_table AS table, member.features_digest
                  FROM pg_temp.linked_now AS now
                  JOIN runtime.entity_members AS member USING (entity_id)
                  JOIN runtime.entities AS home
                    ON home.tenant_id = member.tenant_id AND home.canonical_id = member.home_id
                 WHERE member.tenant_id = %s AND member.source_id = %s
                 ORDER BY member.entity_id
                """,
                (self._tenant, self._source),
            )
            while rows := cursor.fetchmany(MEMBERS_AT_ONCE):
                said = {text: json.loads(text) for text in {row["explanation"] for row in rows}}
                yield [Member(**{**row, "explanation": said[row["explanation"]]}) for row in rows]


def lock_identity(connection: Connection, tenant: TenantId) -> None:
    """Wait until nobody else of the tenant links, judges or assembles, and keep the others waiting to the commit."""
    connection.execute("SELECT app.lock('linking', %s)", (tenant,))

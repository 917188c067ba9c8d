"""The tenant's entities in the database, as linking finds them and adds to them. One transaction, one tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from psycopg.types.json import Jsonb

from tenant_pipeline.core.digest import short_id
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.linking.entity_index import Member, Proposal
from tenant_pipeline.linking.features import Features, blocking_keys
from tenant_pipeline.storage.database import Connection

MOST_IN_A_BLOCK = 50
"""A blocking key that more entities share says too little to compare them all."""


class PostgresEntityIndex:
    """An EntityIndex over a connection logged in as the tenant. It holds the tenant's linking lock until it commits."""

    def __init__(self, connection: Connection, tenant: TenantId, source: SourceId) -> None:
        self._connection = connection
        self._tenant = tenant
        self._source = source
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('linking ' || %s, 0))", (tenant,))

    def by_identifier(self, type_: str, identifiers: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The canonical id under each (scheme, value) that is known for the type."""
        return {key: names[0] for key, names in self._lookup("identifier", type_, identifiers).items()}

    def by_blocking_key(self, family: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
        """The canonical ids under each blocking key, in order; keys that too many share are left out."""
        found = self._lookup("blocking", family, keys)
        return {key: names for key, names in found.items() if len(names) <= MOST_IN_A_BLOCK}

    def _lookup(self, kind: str, type_: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
        wanted = sorted(keys)
        found: dict[tuple[str, str], list[str]] = {}
        if not wanted:
            return found
        rows = self._connection.execute(
            """
            SELECT known.scheme, known.value, known.canonical_id
              FROM unnest(%s::text[], %s::text[]) AS wanted (scheme, value)
              CROSS JOIN LATERAL (
                    SELECT scheme, value, canonical_id FROM runtime.entity_keys
                     WHERE tenant_id = %s AND kind = %s AND type = %s
                       AND scheme = wanted.scheme AND value = wanted.value
                     ORDER BY canonical_id LIMIT %s) AS known
            """,
            (
                [scheme for scheme, _ in wanted],
                [value for _, value in wanted],
                self._tenant,
                kind,
                type_,
                MOST_IN_A_BLOCK + 1,
            ),
        )
        for row in rows:
            found.setdefault((row["scheme"], row["value"]), []).append(row["canonical_id"])
        return found

    def features(self, canonical_ids: Iterable[str]) -> dict[str, Features]:
        """What is known of these entities."""
        rows = self._connection.execute(
            """
            SELECT canonical_id, features FROM runtime.entity_features
             WHERE tenant_id = %s AND canonical_id = ANY(%s)
            """,
            (self._tenant, sorted(canonical_ids)),
        )
        return {row["canonical_id"]: Features.from_json(row["canonical_id"], row["features"]) for row in rows}

    def judged(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """What people decided of these pairs (left < right)."""
        wanted = sorted(pairs)
        rows = self._connection.execute(
            """
            SELECT judgement.left_id, judgement.right_id, judgement.judgement
              FROM unnest(%s::text[], %s::text[]) AS wanted (left_id, right_id)
              JOIN runtime.judgements AS judgement
                ON judgement.tenant_id = %s AND judgement.status = 'decided'
               AND judgement.left_id = wanted.left_id AND judgement.right_id = wanted.right_id
            """,
            ([left for left, _ in wanted], [right for _, right in wanted], self._tenant),
        )
        return {(row["left_id"], row["right_id"]): row["judgement"] for row in rows}

    def add(
        self,
        members: Iterable[Member],
        features: Mapping[str, Features],
        families: Mapping[str, str],
        proposals: Iterable[Proposal],
    ) -> None:
        """Keep members, the features of their canonical entities with the keys that follow, and pairs to judge."""
        members = list(members)
        known = self.features(features)
        merged = {name: known[name].merged_with(new) if name in known else new for name, new in features.items()}
        tenant = self._tenant
        with self._connection.cursor() as cursor:
            cursor.executemany(
                """
                INSERT INTO runtime.entities (tenant_id, canonical_id, type, created_by_source)
                VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
                """,
                [(tenant, name, merged[name].type, self._source) for name in sorted(merged)],
            )
            cursor.executemany(
                """
                INSERT INTO runtime.entity_members
                       (tenant_id, source_id, entity_id, canonical_id, method, score, explanation)
                VALUES (%s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (tenant_id, source_id, entity_id) DO UPDATE
                   SET canonical_id = excluded.canonical_id, method = excluded.method, score = excluded.score,
                       explanation = excluded.explanation
                """,
                [
                    (tenant, self._source, each.entity_id, each.canonical_id, each.method, each.score,
                     Jsonb(dict(each.explanation)))
                    for each in members
                ],
            )  # fmt: skip
            cursor.executemany(
                """
                INSERT INTO runtime.entity_features (tenant_id, canonical_id, features) VALUES (%s, %s, %s)
                ON CONFLICT (tenant_id, canonical_id) DO UPDATE SET features = excluded.features
                """,
                [(tenant, name, Jsonb(merged[name].as_json())) for name in sorted(merged)],
            )
            cursor.executemany(
                """
                INSERT INTO runtime.entity_keys (tenant_id, kind, type, scheme, value, canonical_id)
                VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
                """,
                [
                    (tenant, kind, type_, scheme, value, name)
                    for name in sorted(features)
                    for kind, type_, keys in (
                        ("identifier", features[name].type, features[name].identifiers),
                        ("blocking", families[name], blocking_keys(features[name])),
                    )
                    for scheme, value in keys
                ],
            )
            cursor.executemany(
                """
                INSERT INTO runtime.judgements
                       (tenant_id, id, left_id, right_id, judgement, score, explanation, status)
                VALUES (%s, %s, %s, %s, 'unsure', %s, %s, 'proposed') ON CONFLICT DO NOTHING
                """,
                [
                    (tenant, short_id("jud-", (each.left_id, each.right_id)), each.left_id, each.right_id, each.score,
                     Jsonb(dict(each.explanation)))
                    for each in proposals
                ],
            )  # fmt: skip

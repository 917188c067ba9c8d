"""Which homes are one canonical entity, worked out anew from what linking found and people judged, and made so.

Members, statements and what is said of them follow in the caller's transaction; keys and features stay with their
home. Every move is in the log of merges and splits, which is only ever added to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.digest import Sha256, sha256_of_json
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.linking.clusters import Partition, Tie, partition
from tenant_pipeline.linking.identity import Change, changes
from tenant_pipeline.linking.pair import pair_ends
from tenant_pipeline.services.sources import Source
from tenant_pipeline.storage.database import Connection


@dataclass(frozen=True)
class Homes:
    """Some canonical entities whole: each of their homes with its age and canonical id now, and what ties them."""

    born: dict[str, datetime]
    canonical: dict[str, str]
    ties: tuple[Tie, ...]
    apart: tuple[tuple[str, str], ...]
    doubted: tuple[tuple[str, str], ...]

    def partition(self) -> Partition:
        """What the homes ought to be by what ties them."""
        return partition(self.born, self.ties, self.apart, self.doubted)


def homes_of(connection: Connection, tenant: TenantId, canonical_ids: Sequence[str]) -> Homes:
    """The homes of these canonical entities, with linking's ties and people's judgements among them."""
    rows = connection.execute(
        """
        SELECT canonical_id AS home_id, coalesce(merged_into, canonical_id) AS canonical_id, born_at, attached_to,
               attached_bits
          FROM runtime.entities
         WHERE tenant_id = %(tenant)s AND (canonical_id = ANY(%(ids)s) OR merged_into = ANY(%(ids)s))
        """,
        {"tenant": tenant, "ids": list(canonical_ids)},
    ).fetchall()
    born = {row["home_id"]: row["born_at"] for row in rows}
    judged = connection.execute(
        """
        SELECT left_id, right_id, judgement FROM runtime.judgements
         WHERE tenant_id = %(tenant)s AND status = 'decided'
           AND left_id = ANY(%(homes)s) AND right_id = ANY(%(homes)s)
         ORDER BY left_id, right_id
        """,
        {"tenant": tenant, "homes": list(born)},
    ).fetchall()
    word = {(row["left_id"], row["right_id"]): row["judgement"] for row in judged}
    ties = [Tie(left, right, 0.0, True) for (left, right), says in word.items() if says == "same"]
    for row in rows:
        if row["attached_to"] in born:
            ends = pair_ends(row["home_id"], row["attached_to"])
            if ends not in word:
                ties.append(Tie(*ends, row["attached_bits"] or 0.0, False))
    return Homes(
        born=born,
        canonical={row["home_id"]: row["canonical_id"] for row in rows},
        ties=tuple(ties),
        apart=tuple(ends for ends, says in word.items() if says == "different"),
        doubted=tuple(ends for ends, says in word.items() if says == "unsure"),
    )


def move(
    connection: Connection, tenant: TenantId, homes: Homes, found: Partition, judgement_sequence: int
) -> tuple[list[Change], list[SourceId]]:
    """Make the homes what `found` says they are. Returns the changes, and the sources that speak of what changed."""
    made = changes(homes.canonical, found.canonical)
    if not made:
        return [], []
    touched = sorted({each.from_id for each in made} | {each.into_id for each in made})
    sources = [
        SourceId(row["source_id"])
        for row in connection.execute(
            """
            SELECT DISTINCT source_id FROM runtime.entity_members
             WHERE tenant_id = %s AND canonical_id = ANY(%s) ORDER BY source_id
            """,
            (tenant, touched),
        )
    ]
    for each in made:
        _move_homes(connection, tenant, each, judgement_sequence)
    _close_conflicts(connection, tenant, touched)
    connection.execute(
        """
        UPDATE runtime.tenant_sources
           SET identity_version = identity_version + 1,
               ingest_status = CASE ingest_status WHEN 'assembled' THEN 'waiting' ELSE ingest_status END,
               queued_at = CASE ingest_status WHEN 'assembled' THEN clock_timestamp() ELSE queued_at END
         WHERE tenant_id = %s AND id = ANY(%s)
        """,
        (tenant, sources),
    )
    return made, sources


def _move_homes(connection: Connection, tenant: TenantId, change: Change, judgement_sequence: int) -> None:
    ends = {"tenant": tenant, "from": change.from_id, "into": change.into_id, "homes": list(change.homes)}
    connection.execute(
        """
        UPDATE runtime.entities SET merged_into = nullif(%(into)s, canonical_id)
         WHERE tenant_id = %(tenant)s AND canonical_id = ANY(%(homes)s)
        """,
        ends,
    )
    members = connection.execute(
        """
        UPDATE runtime.entity_members SET canonical_id = %(into)s
         WHERE tenant_id = %(tenant)s AND canonical_id = %(from)s AND home_id = ANY(%(homes)s)
        RETURNING source_id, entity_id
        """,
        ends,
    ).fetchall()
    moved = sorted((row["source_id"], row["entity_id"]) for row in members)
    connection.execute(
        """
        UPDATE runtime.statements AS said SET canonical_id = %(into)s
          FROM unnest(%(sources)s::text[], %(entities)s::text[]) AS moved (source_id, entity_id)
         WHERE said.tenant_id = %(tenant)s AND said.canonical_id = %(from)s
           AND said.source_id = moved.source_id AND said.entity_id = moved.entity_id
        """,
        {**ends, "sources": [source for source, _ in moved], "entities": [entity for _, entity in moved]},
    )
    connection.execute(
        """
        INSERT INTO runtime.identity_changes
               (tenant_id, sequence, change, from_id, into_id, homes, members, judgement_sequence)
        SELECT %s, coalesce(max(sequence), 0) + 1, %s, %s, %s, %s, %s, %s
          FROM runtime.identity_changes WHERE tenant_id = %s
        """,
        (
            tenant,
            change.change,
            change.from_id,
            change.into_id,
            Jsonb(list(change.homes)),
            Jsonb([list(each) for each in moved]),
            judgement_sequence,
            tenant,
        ),
    )


def _close_conflicts(connection: Connection, tenant: TenantId, canonical_ids: Sequence[str]) -> None:
    """Empty the items on these entities that nobody has signed: their sources are compared again and fill them anew.

    Until then they are open: what stood there was not decided, and must not pass for explained.
    """
    connection.execute(
        """
        UPDATE runtime.conflicts
           SET verdict = 'incomparable', rule = 'identity-changed', candidates = '[]', candidates_digest = '',
               proposed_value = NULL, proposed_rule = '', needs_person = false, status = 'open'
         WHERE tenant_id = %s AND canonical_id = ANY(%s) AND status NOT IN ('signed', 'stale')
        """,
        (tenant, list(canonical_ids)),
    )


def digest_with_identity(source: Source, assembled: Sha256) -> Sha256:
    """The digest of what a source says of the entities that it speaks of: that of its statements as assembled, and
    another after each change of those entities' identity, and of the day as of which it speaks."""
    return with_identity(assembled, source.identity_version, source.redated)


def with_identity(assembled: Sha256, version: int, redated: int = 0) -> Sha256:
    """The digest of what was assembled, after so many changes of identity of the entities that it speaks of, and of
    the day as of which it speaks."""
    if redated:
        return sha256_of_json([assembled, version, redated])
    return sha256_of_json([assembled, version]) if version else assembled


def with_rights(said: Sha256, redeclared: int) -> Sha256:
    """The digest of what is scored: that of what a source says, and another after each change of its rights."""
    return sha256_of_json([said, redeclared]) if redeclared else said


def changes_of(connection: Connection, tenant: TenantId, canonical_id: str | None) -> list[dict[str, Any]]:
    """The log of merges and splits in its order: all, or those of one id."""
    return connection.execute(
        """
        SELECT change.sequence, change.change, change.from_id, change.into_id, change.homes, change.members,
               change.judgement_sequence, change.changed_at, said.left_id, said.right_id, said.judgement, said.person
          FROM runtime.identity_changes AS change
          JOIN runtime.judgement_history AS said
            ON said.tenant_id = change.tenant_id AND said.sequence = change.judgement_sequence
         WHERE change.tenant_id = %(tenant)s
           AND (%(id)s::text IS NULL OR %(id)s IN (change.from_id, change.into_id) OR change.homes ? %(id)s)
         ORDER BY change.sequence
        """,
        {"tenant": tenant, "id": canonical_id},
    ).fetchall()

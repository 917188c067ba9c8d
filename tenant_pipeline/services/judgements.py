"""Pairs that linking could not decide: listed for people, judged by them, and every judgement reversible.

A judgement is on two homes, which stay what they are whatever is merged later. `same` makes one canonical entity of
two, `different` and `unsure` take apart what linking or a person had put together, and keep it apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.approval.operation import ApprovalGate
from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.persons import require_person_and_reason
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.linking.clusters import Partition, Tie
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.identity import Change
from tenant_pipeline.linking.pair import pair_ends, pair_id
from tenant_pipeline.linking.score import Match
from tenant_pipeline.services import registry
from tenant_pipeline.services.entity_index import lock_identity
from tenant_pipeline.services.gates import OVERRIDE_ROLES
from tenant_pipeline.services.identity import homes_of, move
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

NONE = "none"
"""What stands for a pair that nobody has judged, or whose judgement was reversed."""

# OFFSET 0 has each side looked up by itself: all that a tenant says is not read for its pairs.
_PAIRS = """
  FROM runtime.judgements AS pair
  JOIN runtime.entities AS one ON one.tenant_id = pair.tenant_id AND one.canonical_id = pair.left_id
  JOIN runtime.entities AS other ON other.tenant_id = pair.tenant_id AND other.canonical_id = pair.right_id
 WHERE pair.tenant_id = %(tenant)s AND (%(status)s::text IS NULL OR pair.status = %(status)s)
   AND (pair.status <> 'proposed' OR pair.explanation ?| ARRAY['conflict_id', 'rows']
        OR coalesce(one.merged_into, one.canonical_id) <> coalesce(other.merged_into, other.canonical_id))
   AND (pair.status <> 'proposed'
        OR EXISTS (SELECT FROM runtime.statements
                    WHERE tenant_id = pair.tenant_id AND canonical_id = coalesce(one.merged_into, one.canonical_id)
                      AND retired_at IS NULL OFFSET 0)
           AND EXISTS (SELECT FROM runtime.statements
                        WHERE tenant_id = pair.tenant_id
                          AND canonical_id = coalesce(other.merged_into, other.canonical_id)
                          AND retired_at IS NULL OFFSET 0))
"""
_ORDER = "pair.explanation ? 'conflict_id' DESC, pair.explanation ? 'rows' DESC, abs(pair.score - 0.5), pair.id"


@dataclass(frozen=True)
class Judged:
    """A judgement that was given: what stood before, the canonical ids of both sides now, and what changed by it."""

    sequence: int
    left_id: str
    right_id: str
    judgement: str
    before: str
    canonical: tuple[str, str]
    changes: tuple[Change, ...]
    sources: tuple[SourceId, ...]

    def as_json(self) -> dict[str, Any]:
        """The judgement as the command line and the API give it."""
        return {
            "sequence": self.sequence,
            "left_id": self.left_id,
            "right_id": self.right_id,
            "judgement": self.judgement,
            "before": self.before,
            "canonical_ids": sorted(set(self.canonical)),
            "changes": [
                {"change": each.change, "from": each.from_id, "into": each.into_id, "homes": list(each.homes)}
                for each in self.changes
            ],
            "sources": list(self.sources),
        }


def reviewer_roles(runtime: Runtime) -> tuple[str, ...]:
    """The roles that may judge: the approvers of a review by the approval matrix, and those that override gates."""
    return tuple(dict.fromkeys([*runtime.contracts.roles_at(ApprovalGate.REVIEW), *OVERRIDE_ROLES]))


def list_pairs(
    runtime: Runtime, tenant: TenantId, *, status: str | None = "proposed", limit: int = 100
) -> list[dict[str, Any]]:
    """Pairs by status (`proposed`, `decided`, `reverted`, or all), with a name of each.

    Links that somebody held to be wrong at a conflict come first, then those that make two rows of one table one
    thing, then those most in doubt. Of proposed pairs whose sides are one, only the first two are there; and none of
    which nobody says one side any more, until it is said again.
    """
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(
            f"""
            WITH pair AS MATERIALIZED (
                SELECT pair.id, pair.left_id, pair.right_id, one.type AS left_type, other.type AS right_type,
                       coalesce(one.merged_into, one.canonical_id) AS left_canonical_id,
                       coalesce(other.merged_into, other.canonical_id) AS right_canonical_id,
                       pair.score, pair.explanation, pair.status,
                       CASE pair.status WHEN 'decided' THEN pair.judgement ELSE '' END AS judgement, pair.decided_by
                  {_PAIRS}
                 ORDER BY {_ORDER}
                 LIMIT %(limit)s)
            SELECT pair.*, left_name.value AS left_name, right_name.value AS right_name
              FROM pair
              LEFT JOIN LATERAL (
                    SELECT value FROM runtime.statements
                     WHERE tenant_id = %(tenant)s AND canonical_id = pair.left_canonical_id AND property = 'name'
                     ORDER BY retired_at IS NOT NULL, lang <> 'en', lang, value LIMIT 1) AS left_name ON true
              LEFT JOIN LATERAL (
                    SELECT value FROM runtime.statements
                     WHERE tenant_id = %(tenant)s AND canonical_id = pair.right_canonical_id AND property = 'name'
                     ORDER BY retired_at IS NOT NULL, lang <> 'en', lang, value LIMIT 1) AS right_name ON true
             ORDER BY {_ORDER}
            """,
            {"tenant": tenant, "status": status, "limit": limit},
        ).fetchall()


def count_proposed_pairs(runtime: Runtime, tenant: TenantId) -> int:
    """How many pairs wait for a person: those that `list_pairs` gives as proposed."""
    with runtime.database.tenant(tenant) as connection:
        row = connection.execute(
            f"SELECT count(*) AS pairs {_PAIRS}", {"tenant": tenant, "status": "proposed"}
        ).fetchone()
    return int(row["pairs"]) if row else 0


def judge(
    runtime: Runtime, tenant: TenantId, left: str, right: str, judgement: Match, *, person: str, role: str, reason: str
) -> Judged:
    """Keep a person's word on two entities, by canonical ids, aliases or ids of sources' entities. Audited.

    Raises NotAllowedError for a person without the role, InputError for no person or reason, and for a judgement that
    contradicts others (it names the one to reverse); NotFoundError for an id that is not the tenant's. Then nothing has
    changed.
    """
    require_person_and_reason(person, reason, "A judgement needs a person and a reason")
    with runtime.database.tenant(tenant) as connection:
        lock_identity(connection, tenant)
        require_role(connection, tenant, person, role, reviewer_roles(runtime))
        one, other = (_home_of(connection, tenant, each) for each in (left, right))
        if one == other:
            raise InputError(
                "Both sides are the same entity",
                where=f"{left} {right}",
                remedy="Entities that bear one identifier are one: withdraw the source that has it wrong, and hand it "
                "in anew with the identifier mended; of several, leave out those that the other home has by now.",
            )
        return _decide(
            runtime, connection, tenant, pair_ends(one, other), str(judgement), None,
            person=person, role=role, reason=reason,
        )  # fmt: skip


def reverse(runtime: Runtime, tenant: TenantId, sequence: int, *, person: str, role: str, reason: str) -> Judged:
    """Put a pair back to what stood before a judgement, which must be the last on its pair. Audited.

    Raises as `judge` does, and InputError when a later judgement on the pair stands.
    """
    require_person_and_reason(person, reason, "A judgement needs a person and a reason")
    with runtime.database.tenant(tenant) as connection:
        lock_identity(connection, tenant)
        require_role(connection, tenant, person, role, reviewer_roles(runtime))
        row = connection.execute(
            """
            SELECT said.left_id, said.right_id, said.before,
                   (SELECT max(sequence) FROM runtime.judgement_history AS later
                     WHERE later.tenant_id = said.tenant_id AND later.left_id = said.left_id
                       AND later.right_id = said.right_id) AS last
              FROM runtime.judgement_history AS said
             WHERE said.tenant_id = %s AND said.sequence = %s
            """,
            (tenant, sequence),
        ).fetchone()
        if row is None:
            raise NotFoundError("There is no such judgement", where=str(sequence), remedy=_SEE_HISTORY)
        if row["last"] != sequence:
            raise InputError(
                f"The pair was judged again since: judgement {row['last']} stands",
                where=str(sequence),
                remedy="Reverse that one first.",
            )
        return _decide(
            runtime, connection, tenant, (row["left_id"], row["right_id"]), row["before"], sequence,
            person=person, role=role, reason=reason,
        )  # fmt: skip


def history(runtime: Runtime, tenant: TenantId, identifier: str | None = None) -> list[dict[str, Any]]:
    """All that was ever judged, in order: of the tenant, or of one home."""
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(
            """
            SELECT sequence, left_id, right_id, judgement, before, reverses, person, role, reason, decided_at
              FROM runtime.judgement_history
             WHERE tenant_id = %(tenant)s AND (%(id)s::text IS NULL OR %(id)s IN (left_id, right_id))
             ORDER BY sequence
            """,
            {"tenant": tenant, "id": identifier},
        ).fetchall()


def judged_pairs(runtime: Runtime, tenant: TenantId) -> list[tuple[Features, Features, Match]]:
    """Every pair that people have judged, with the features of both homes: labels to estimate the scoring from."""
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            """
            SELECT pair.left_id, pair.right_id, pair.judgement, one.features AS one, other.features AS other
              FROM runtime.judgements AS pair
              JOIN runtime.entity_features AS one ON one.tenant_id = pair.tenant_id AND one.canonical_id = pair.left_id
              JOIN runtime.entity_features AS other
                ON other.tenant_id = pair.tenant_id AND other.canonical_id = pair.right_id
             WHERE pair.tenant_id = %s AND pair.status = 'decided'
             ORDER BY pair.left_id, pair.right_id
            """,
            (tenant,),
        ).fetchall()
    return [
        (
            Features.from_json(row["left_id"], row["one"]),
            Features.from_json(row["right_id"], row["other"]),
            Match(row["judgement"]),
        )
        for row in rows
    ]


_SEE_HISTORY = "`tenant-pipeline link history` shows what was judged."


def _home_of(connection: Connection, tenant: TenantId, identifier: str) -> str:
    """The home under an id: its own, or that of a source's entity."""
    row = connection.execute(
        """
        SELECT canonical_id AS home_id FROM runtime.entities
         WHERE tenant_id = %(tenant)s AND canonical_id = %(id)s
         UNION ALL
        SELECT home_id FROM runtime.entity_members WHERE tenant_id = %(tenant)s AND entity_id = %(id)s
         LIMIT 1
        """,
        {"tenant": tenant, "id": identifier},
    ).fetchone()
    if row is None:
        raise NotFoundError(
            "There is no such entity",
            where=identifier,
            remedy="`tenant-pipeline link list` shows pairs with their ids.",
        )
    return str(row["home_id"])


def _decide(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    ends: tuple[str, str],
    judgement: str,
    reverses: int | None,
    *,
    person: str,
    role: str,
    reason: str,
) -> Judged:
    identifier = pair_id(*ends)
    row = connection.execute(
        "SELECT judgement, status FROM runtime.judgements WHERE tenant_id = %s AND id = %s", (tenant, identifier)
    ).fetchone()
    before = row["judgement"] if row and row["status"] == "decided" else NONE
    if before == judgement:
        raise InputError(f"The pair stands as {judgement} already", where=" ".join(ends), remedy=_SEE_HISTORY)
    canonical_ids = [
        each["id"]
        for each in connection.execute(
            """
            SELECT DISTINCT coalesce(merged_into, canonical_id) AS id FROM runtime.entities
             WHERE tenant_id = %s AND canonical_id = ANY(%s)
            """,
            (tenant, list(ends)),
        )
    ]
    sequence = _append(connection, tenant, ends, judgement, before, reverses, person, role, reason)
    _set_state(connection, tenant, identifier, ends, judgement, person)
    homes = homes_of(connection, tenant, canonical_ids)
    found = homes.partition()
    _refuse_contradictions(found, ends, judgement)
    _propose(connection, tenant, [tie for tie, _ in found.broken])
    changed, sources = move(connection, tenant, homes, found, sequence)
    runtime.audit.append(
        connection,
        tenant,
        [
            AuditEntry(
                actor=person,
                action="link.judged" if reverses is None else "link.reversed",
                subject=identifier,
                details={
                    "left_id": ends[0],
                    "right_id": ends[1],
                    "judgement": judgement,
                    "before": before,
                    "role": role,
                    "reason": reason,
                    "judgement_sequence": sequence,
                    "changes": [f"{each.change} {each.from_id} {each.into_id}" for each in changed],
                },
            )
        ],
    )
    canonical = (found.canonical[ends[0]], found.canonical[ends[1]])
    return Judged(sequence, *ends, judgement, before, canonical, tuple(changed), tuple(sources))


def _append(
    connection: Connection,
    tenant: TenantId,
    ends: tuple[str, str],
    judgement: str,
    before: str,
    reverses: int | None,
    person: str,
    role: str,
    reason: str,
) -> int:
    (row,) = connection.execute(
        """
        INSERT INTO runtime.judgement_history
               (tenant_id, sequence, left_id, right_id, judgement, before, reverses, person, role, reason)
        SELECT %(tenant)s, coalesce(max(sequence), 0) + 1, %(left)s, %(right)s, %(judgement)s, %(before)s,
               %(reverses)s, %(person)s, %(role)s, %(reason)s
          FROM runtime.judgement_history WHERE tenant_id = %(tenant)s
        RETURNING sequence
        """,
        {
            "tenant": tenant, "left": ends[0], "right": ends[1], "judgement": judgement, "before": before,
            "reverses": reverses, "person": person, "role": role, "reason": reason,
        },
    ).fetchall()  # fmt: skip
    return int(row["sequence"])


def _set_state(
    connection: Connection, tenant: TenantId, identifier: str, ends: tuple[str, str], judgement: str, person: str
) -> None:
    """What stands now: a pair whose judgement is gone is proposed again if linking or a conflict's reviewer had asked,
    else reverted."""
    connection.execute(
        """
        INSERT INTO runtime.judgements AS known
               (tenant_id, id, left_id, right_id, judgement, score, explanation, decided_by, decided_at, status)
        VALUES (%(tenant)s, %(id)s, %(left)s, %(right)s, %(judgement)s, NULL, '{}', %(person)s, clock_timestamp(),
                %(status)s)
        ON CONFLICT (tenant_id, id) DO UPDATE
           SET judgement = excluded.judgement, decided_by = excluded.decided_by, decided_at = excluded.decided_at,
               status = CASE WHEN excluded.status = 'reverted'
                                  AND (known.score IS NOT NULL OR known.explanation ? 'conflict_id') THEN 'proposed'
                             ELSE excluded.status END
        """,
        {
            "tenant": tenant, "id": identifier, "left": ends[0], "right": ends[1],
            "judgement": "unsure" if judgement == NONE else judgement, "person": person,
            "status": "reverted" if judgement == NONE else "decided",
        },
    )  # fmt: skip


def _refuse_contradictions(found: Partition, ends: tuple[str, str], judgement: str) -> None:
    """Raise InputError where people's word, taken together, cannot hold: name what stands against this judgement."""
    for tie, between in found.broken:
        if tie.judged:
            against = between if judgement == Match.SAME else (tie.left, tie.right)
            raise InputError(
                f"That contradicts what was judged of {against[0]} and {against[1]}",
                where=" ".join(ends),
                remedy="Reverse that judgement first: `tenant-pipeline link history` shows it.",
            )


def _propose(connection: Connection, tenant: TenantId, ties: Sequence[Tie]) -> None:
    """Put to people what linking had joined and their word took apart."""
    says = {"says": say("Linking had found them to be one; a judgement on others stands between them.")}
    for tie in ties:
        connection.execute(
            """
            INSERT INTO runtime.judgements AS known
                   (tenant_id, id, left_id, right_id, judgement, score, explanation, status)
            VALUES (%s, %s, %s, %s, 'unsure', %s, %s, 'proposed')
            ON CONFLICT (tenant_id, id) DO UPDATE
               SET status = 'proposed', score = excluded.score, explanation = excluded.explanation
             WHERE known.status = 'reverted'
            """,
            (tenant, pair_id(tie.left, tie.right), tie.left, tie.right, 1 / (1 + 2**-tie.bits), Jsonb(says)),
        )

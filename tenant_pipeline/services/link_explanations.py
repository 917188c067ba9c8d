"""Why an entity is what it is, or a pair one or two: identifiers, parts of scores, judgements, merges and splits."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.sentences.reading import Tell, in_english
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.identity import changes_of
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection

MOST_MEMBERS = 1_000
CONTACTS = ("telephone", "email")
"""What may be a person's. Linking compares by it for good; of a pair it is shown as long as a source says it."""


def as_told(explanation: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """An explanation as it is kept (the parts of a score, or the one sentence that decided), as `tell` says it."""
    told = dict(explanation)
    if "says" in told:
        told["says"] = tell(told["says"])
    if "parts" in told:
        told["parts"] = [{**part, "says": tell(part["says"])} for part in told["parts"]]
    return told


def show_entity(runtime: Runtime, tenant: TenantId, identifier: str, tell: Tell = in_english) -> dict[str, Any]:
    """A canonical entity by its id, by an alias of it or by the id of a source's entity: its homes with their
    identifiers, its members with how each was found (at most MOST_MEMBERS), and its history.

    Raises NotFoundError when there is none.
    """
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        canonical_id = _canonical_id(connection, tenant, identifier)
        homes = connection.execute(
            """
            SELECT home.canonical_id AS home_id, home.type, home.born_at, home.attached_to, home.attached_bits,
                   coalesce(kept.features -> 'identifiers', '[]') AS identifiers
              FROM runtime.entities AS home
              LEFT JOIN runtime.entity_features AS kept
                ON kept.tenant_id = home.tenant_id AND kept.canonical_id = home.canonical_id
             WHERE home.tenant_id = %(tenant)s AND (home.canonical_id = %(id)s OR home.merged_into = %(id)s)
             ORDER BY home.born_at, home.canonical_id
            """,
            {"tenant": tenant, "id": canonical_id},
        ).fetchall()
        members = connection.execute(
            """
            SELECT member.source_id, source.title, member.entity_id, member.home_id, member.source_table,
                   member.method, member.score, member.explanation
              FROM runtime.entity_members AS member
              JOIN runtime.tenant_sources AS source
                ON source.tenant_id = member.tenant_id AND source.id = member.source_id
             WHERE member.tenant_id = %s AND member.canonical_id = %s
             ORDER BY member.source_id, member.entity_id
             LIMIT %s
            """,
            (tenant, canonical_id, MOST_MEMBERS),
        ).fetchall()
        judgements = connection.execute(
            """
            SELECT sequence, left_id, right_id, judgement, before, reverses, person, role, reason, decided_at
              FROM runtime.judgement_history
             WHERE tenant_id = %(tenant)s AND (left_id = ANY(%(homes)s) OR right_id = ANY(%(homes)s))
             ORDER BY sequence
            """,
            {"tenant": tenant, "homes": [home["home_id"] for home in homes]},
        ).fetchall()
        return {
            "canonical_id": canonical_id,
            "asked_for": identifier,
            "homes": homes,
            "members": [{**each, "explanation": as_told(each["explanation"], tell)} for each in members],
            "judgements": judgements,
            "changes": changes_of(connection, tenant, canonical_id),
        }


def show_pair(runtime: Runtime, tenant: TenantId, identifier: str, tell: Tell = in_english) -> dict[str, Any]:
    """A pair by its id: what speaks for and against it, both sides with what is known of them, and what was judged.
    Of telephones and e-mails only those in force are told.

    Raises NotFoundError when there is none.
    """
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        pair = connection.execute(
            """
            SELECT id, left_id, right_id, score, explanation, status,
                   CASE status WHEN 'decided' THEN judgement ELSE '' END AS judgement
              FROM runtime.judgements WHERE tenant_id = %s AND id = %s
            """,
            (tenant, identifier),
        ).fetchone()
        if pair is None:
            raise NotFoundError(
                "There is no such pair", where=identifier, remedy="`tenant-pipeline link list` shows pairs."
            )
        sides = connection.execute(
            """
            SELECT home.canonical_id AS home_id, coalesce(home.merged_into, home.canonical_id) AS canonical_id,
                   home.type, kept.features
              FROM runtime.entities AS home
              JOIN runtime.entity_features AS kept
                ON kept.tenant_id = home.tenant_id AND kept.canonical_id = home.canonical_id
             WHERE home.tenant_id = %s AND home.canonical_id = ANY(%s)
             ORDER BY home.canonical_id
            """,
            (tenant, [pair["left_id"], pair["right_id"]]),
        ).fetchall()
        said = connection.execute(
            """
            SELECT DISTINCT member.home_id, said.property, said.value
              FROM runtime.entity_members AS member
              JOIN runtime.statements AS said
                ON said.tenant_id = member.tenant_id AND said.source_id = member.source_id
               AND said.entity_id = member.entity_id
             WHERE member.tenant_id = %(tenant)s AND member.canonical_id = ANY(%(canonical)s)
               AND member.home_id = ANY(%(homes)s)
               AND said.property = ANY(%(contacts)s) AND said.retired_at IS NULL
            """,
            {
                "tenant": tenant, "contacts": list(CONTACTS), "homes": [side["home_id"] for side in sides],
                "canonical": [side["canonical_id"] for side in sides],
            },
        ).fetchall()  # fmt: skip
        judgements = connection.execute(
            """
            SELECT sequence, judgement, before, reverses, person, role, reason, decided_at
              FROM runtime.judgement_history
             WHERE tenant_id = %s AND left_id = %s AND right_id = %s ORDER BY sequence
            """,
            (tenant, pair["left_id"], pair["right_id"]),
        ).fetchall()
    in_force = {(row["home_id"], row["property"], row["value"]) for row in said}
    sides = [{**side, "features": _shown(side["features"], side["home_id"], in_force)} for side in sides]
    return {**pair, "explanation": as_told(pair["explanation"], tell), "sides": sides, "judgements": judgements}


def _shown(features: Mapping[str, Any], home: str, in_force: Container[tuple[str, str, str]]) -> dict[str, Any]:
    """What is known of a home, without contacts that no source gives it any more."""
    values = {
        name: [each for each in kept if name not in CONTACTS or (home, name, each) in in_force]
        for name, kept in features["values"].items()
    }
    return {**features, "values": {name: kept for name, kept in values.items() if kept}}


def _canonical_id(connection: Connection, tenant: TenantId, identifier: str) -> str:
    row = connection.execute(
        """
        SELECT coalesce(merged_into, canonical_id) AS id FROM runtime.entities
         WHERE tenant_id = %(tenant)s AND canonical_id = %(id)s
         UNION ALL
        SELECT canonical_id FROM runtime.entity_members WHERE tenant_id = %(tenant)s AND entity_id = %(id)s
         LIMIT 1
        """,
        {"tenant": tenant, "id": identifier},
    ).fetchone()
    if row is None:
        raise NotFoundError(
            "There is no such entity",
            where=identifier,
            remedy="`tenant-pipeline statements` shows entities with their ids.",
        )
    return str(row["id"])

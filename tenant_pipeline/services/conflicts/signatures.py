"""Signatures as rows: only ever added, one a decision, each bound to the digest of what it covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.conflicts.authority import Signer
from tenant_pipeline.storage.database import Connection


class Decision(StrEnum):
    """What a person may decide of an item; `void` takes back the signature before it."""

    CANDIDATE = "candidate"
    HUMAN_PIN = "human-pin"
    BOTH_RIGHT = "both-right"
    LINK_WRONG = "link-wrong"
    VOID = "void"


@dataclass(frozen=True)
class Decided:
    """A decision with the value it gives, and the statement that says so where one does."""

    decision: Decision
    value: str | None = None
    source_id: str = ""
    statement_id: str = ""


def append_signature(
    connection: Connection, tenant: TenantId, conflict_id: str, digest: str, decided: Decided, signer: Signer
) -> int:
    """Append a signature to an item that the caller has locked; return its number."""
    row = connection.execute(
        """
        INSERT INTO runtime.conflict_signatures
               (tenant_id, conflict_id, number, decision, candidates_digest, source_id, statement_id, value,
                list_digest, person, role, reason)
        SELECT %(tenant)s, %(conflict)s,
               (SELECT count(*) FROM runtime.conflict_signatures WHERE tenant_id = %(tenant)s
                   AND conflict_id = %(conflict)s),
               %(decision)s, %(digest)s, %(source)s, %(statement)s, %(value)s, '', %(person)s, %(role)s, %(reason)s
        RETURNING number
        """,
        {
            "tenant": tenant,
            "conflict": conflict_id,
            "decision": str(decided.decision),
            "digest": digest,
            "source": decided.source_id,
            "statement": decided.statement_id,
            "value": decided.value,
            "person": signer.person,
            "role": signer.role,
            "reason": signer.reason,
        },
    ).fetchone()
    assert row is not None
    return int(row["number"])


def signatures_of(connection: Connection, tenant: TenantId, conflict_id: str) -> list[dict[str, Any]]:
    """All decisions about an item, the first one first."""
    return connection.execute(
        """
        SELECT number, decision, value, source_id, statement_id, candidates_digest, list_digest, person, role, reason,
               signed_at
          FROM runtime.conflict_signatures WHERE tenant_id = %s AND conflict_id = %s ORDER BY number
        """,
        (tenant, conflict_id),
    ).fetchall()


def reopened_by(item: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> str | None:
    """Who has reopened the item, a person or the pipeline; None where it is not reopened.

    It is whoever made its last signature void, whatever was said of it since: a wrong link leaves it open.
    """
    voids = (each["person"] for each in reversed(history) if each["decision"] == Decision.VOID)
    return next(voids, None) if item["reopened"] else None


def sources_of(connection: Connection, tenant: TenantId, conflict_ids: list[str]) -> list[str]:
    """The sources that take part in these items."""
    rows = connection.execute(
        """
        SELECT DISTINCT source_id FROM runtime.conflict_sources
         WHERE tenant_id = %s AND conflict_id = ANY(%s) AND relation <> 'withdrawn'
        """,
        (tenant, conflict_ids),
    )
    return [row["source_id"] for row in rows]

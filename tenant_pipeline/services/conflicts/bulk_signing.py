"""Many proposals signed at once, by the rule that made them: what is signed is exactly the list that was shown.

A rule may have made more proposals than one transaction should sign: these are lists that follow each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.conflict.comparison import Verdict
from tenant_pipeline.core.conflict.validity import VALID_AT_DIFFERENT_TIMES
from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.conflicts.authority import Signer, require_entitled
from tenant_pipeline.services.conflicts.items import count_open_items
from tenant_pipeline.services.conflicts.refusals import DecisionOutdatedError
from tenant_pipeline.services.conflicts.signatures import sources_of
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

MOST_AT_ONCE = 10_000

# Without those that somebody has reopened: they were signed once, and are worth a look each. And without those of which
# several values are proposed, each for its own time: a list takes one value of each item.
_MATCHING = f"""
tenant_id = %(tenant)s AND status IN ('open', 'explained') AND NOT reopened AND NOT needs_person
AND rule <> '{VALID_AT_DIFFERENT_TIMES}'
"""

_RULES = f"""
SELECT proposed_rule, verdict, count(*) AS items
  FROM runtime.conflicts
 WHERE {_MATCHING} AND proposed_rule <> ''
 GROUP BY proposed_rule, verdict
 ORDER BY verdict <> 'differs', verdict, proposed_rule
"""

_COUNT = f"""
SELECT count(*) AS matching FROM runtime.conflicts
 WHERE {_MATCHING} AND proposed_rule = %(rule)s AND verdict = %(verdict)s
"""

_LISTED = f"""
SELECT conflict_id, candidates_digest, canonical_id, property, lang, proposed_value, first.source_id,
       first.statement_id
  FROM runtime.conflicts AS conflict
 CROSS JOIN LATERAL (
       SELECT one ->> 'source_id' AS source_id, one ->> 'statement_id' AS statement_id
         FROM jsonb_array_elements(conflict.candidates) AS one
        WHERE one ->> 'value' = conflict.proposed_value
        ORDER BY one ->> 'authority_tier', one ->> 'source_id', one ->> 'statement_id'
        LIMIT 1) AS first
 WHERE {_MATCHING} AND proposed_rule = %(rule)s AND verdict = %(verdict)s AND conflict_id > %(after)s
 ORDER BY conflict_id
 LIMIT %(limit)s
"""


def rules(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    """Every `proposed_rule` and `verdict` that there is something to sign of at once, with how many `items`."""
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(_RULES, {"tenant": tenant}).fetchall()


def preview(runtime: Runtime, tenant: TenantId, *, proposed_rule: str, verdict: str, after: str = "") -> dict[str, Any]:
    """What signing these at once would sign: every item and its value, and the digest to hand back when signing.

    The items are those that nobody has signed, that need no person of their own and that this rule proposed a value
    for: `matching` of them, of which the list has the first MOST_AT_ONCE that come `after` an item's id. The list that
    follows it comes after `next`, which is None where there is none. Raises InputError for no such verdict.
    """
    with runtime.database.tenant(tenant) as connection:
        listed = _list(connection, tenant, proposed_rule, verdict, after)
        items = listed["items"]
        return {
            **listed,
            "matching": _count(connection, tenant, proposed_rule, verdict),
            "next": items[-1]["conflict_id"] if len(items) == MOST_AT_ONCE else None,
        }


@dataclass(frozen=True)
class SignedList:
    """How many items were signed, and how many of the rule's are left."""

    signed: int
    left: int


def sign_list(
    runtime: Runtime,
    tenant: TenantId,
    *,
    proposed_rule: str,
    verdict: str,
    digest: str,
    signer: Signer,
    after: str = "",
) -> SignedList:
    """Sign the proposals of the list that was previewed `after` that item; all of them, or none.

    Raises DecisionOutdatedError when the list is no longer the one whose digest is given, NotFoundError when it is
    empty, NotAllowedError when this person in this role may not.
    """
    with runtime.database.tenant(tenant) as connection:
        require_entitled(runtime, connection, tenant, signer)
        _lock(connection, tenant, _list(connection, tenant, proposed_rule, verdict, after))
        listed = _list(connection, tenant, proposed_rule, verdict, after)
        if not listed["items"]:
            raise NotFoundError("There is nothing to sign", where=f"{tenant} {verdict}")
        if listed["digest"] != digest:
            raise DecisionOutdatedError(
                "The list is no longer the one that was looked at: items have come, gone or changed",
                where=f"{tenant} {verdict}",
                remedy="Look at it again: `tenant-pipeline conflict resolve-all` without a digest shows it.",
            )
        identifiers = [item["conflict_id"] for item in listed["items"]]
        _sign(connection, tenant, listed["items"], digest, signer)
        concerned = sources_of(connection, tenant, identifiers)
        count_open_items(connection, tenant, concerned, runtime.contracts.coverage_dimensions)
        details = {
            "role": signer.role,
            "reason": signer.reason,
            "proposed_rule": proposed_rule,
            "verdict": verdict,
            "items": len(identifiers),
        }
        entry = AuditEntry(actor=signer.person, action="conflicts.decided", subject=f"list:{digest}", details=details)
        left = _count(connection, tenant, proposed_rule, verdict)
        runtime.audit.append(connection, tenant, [entry])
    return SignedList(len(identifiers), left)


def _count(connection: Connection, tenant: TenantId, rule: str, verdict: str) -> int:
    row = connection.execute(_COUNT, {"tenant": tenant, "rule": rule, "verdict": verdict}).fetchone()
    assert row is not None
    return int(row["matching"])


def _list(connection: Connection, tenant: TenantId, rule: str, verdict: str, after: str) -> dict[str, Any]:
    if verdict not in list(Verdict):
        raise InputError("There is no such verdict", where="--verdict", remedy=f"One of {', '.join(Verdict)}.")
    items = connection.execute(
        _LISTED, {"tenant": tenant, "rule": rule, "verdict": verdict, "after": after, "limit": MOST_AT_ONCE}
    ).fetchall()
    shown = [[str(item[name]) for name in ("conflict_id", "candidates_digest", "proposed_value")] for item in items]
    return {"digest": sha256_of_json([rule, verdict, shown]), "proposed_rule": rule, "verdict": verdict, "items": items}


def _lock(connection: Connection, tenant: TenantId, listed: dict[str, Any]) -> None:
    connection.execute(
        """
        SELECT FROM runtime.conflicts WHERE tenant_id = %s AND conflict_id = ANY(%s) ORDER BY conflict_id FOR UPDATE
        """,
        (tenant, [item["conflict_id"] for item in listed["items"]]),
    )


def _sign(connection: Connection, tenant: TenantId, items: list[dict[str, Any]], digest: str, signer: Signer) -> None:
    parameters = {
        "tenant": tenant,
        "conflicts": [item["conflict_id"] for item in items],
        "sources": [item["source_id"] for item in items],
        "statements": [item["statement_id"] for item in items],
        "list": digest,
        "person": signer.person,
        "role": signer.role,
        "reason": signer.reason,
    }
    connection.execute(
        """
        INSERT INTO runtime.conflict_signatures
               (tenant_id, conflict_id, number, decision, candidates_digest, source_id, statement_id, value,
                list_digest, person, role, reason)
        SELECT %(tenant)s, conflict.conflict_id,
               (SELECT count(*) FROM runtime.conflict_signatures AS before
                 WHERE before.tenant_id = %(tenant)s AND before.conflict_id = conflict.conflict_id),
               'candidate', conflict.candidates_digest, listed.source_id, listed.statement_id, conflict.proposed_value,
               %(list)s, %(person)s, %(role)s, %(reason)s
          FROM unnest(%(conflicts)s::text[], %(sources)s::text[], %(statements)s::text[])
               AS listed (conflict_id, source_id, statement_id)
          JOIN runtime.conflicts AS conflict
            ON conflict.tenant_id = %(tenant)s AND conflict.conflict_id = listed.conflict_id
        """,
        parameters,
    )
    connection.execute(
        """
        UPDATE runtime.conflicts AS conflict
           SET status = 'signed',
               signature_number = (SELECT max(number) FROM runtime.conflict_signatures AS signature
                                    WHERE signature.tenant_id = %(tenant)s
                                      AND signature.conflict_id = conflict.conflict_id)
         WHERE conflict.tenant_id = %(tenant)s AND conflict.conflict_id = ANY(%(conflicts)s)
        """,
        parameters,
    )

"""All that a person needs to decide an item: the candidates side by side, the proposal and why, and the choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenant_pipeline.core.sentences.reading import Tell, in_english
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.conflicts import reading
from tenant_pipeline.services.conflicts.authority import GATE, signing_roles
from tenant_pipeline.services.conflicts.items import PIPELINE
from tenant_pipeline.services.conflicts.signatures import Decision, reopened_by, signatures_of
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection

CHOICES = (
    (
        Decision.CANDIDATE,
        "take",
        say(
            "Take what one candidate says. It becomes the property's resolved value, with that statement as its source."
        ),
    ),
    (
        Decision.HUMAN_PIN,
        "value",
        say("Enter another value. It is kept as yours, with your reason, and ranks before every source."),
    ),
    (
        Decision.BOTH_RIGHT,
        "both-right",
        say(
            "Say that all of them are right: at different times, or because there are several. All are resolved values."
        ),
    ),
    (
        Decision.LINK_WRONG,
        "link-wrong",
        say(
            "Say that the sources speak of different things."
            " The item stays open, and its links are handed to be judged."
        ),
    ),
)

WHAT_SIGNING_DOES = say(
    "Signing settles the value for these candidates under these rules, and for no others: when a source changes what"
    " it says, the signature becomes void and the item is open again. No statement is changed. The decision is kept"
    " for good and written to the audit log under your name."
)


def numbered(candidates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The candidates in the order in which a form numbers them, from 1: by what the digest covers and nothing else,
    so that a number means the same as long as the digest is the same."""
    return sorted(candidates, key=lambda one: (one["source_id"], one["statement_id"], one["value"], one["raw_value"]))


def resolution_form(runtime: Runtime, tenant: TenantId, conflict_id: str, tell: Tell = in_english) -> dict[str, Any]:
    """The form of one item, as data, its sentences as `tell` says them.

    Raises NotFoundError when the tenant has none of that id.
    """
    with runtime.database.tenant(tenant) as connection:
        item = reading.item(connection, tenant, conflict_id)
        statements = _statements(connection, tenant, item)
        history = [
            {**each, "reason": tell(each["reason"])} if each["person"] == PIPELINE else each
            for each in signatures_of(connection, tenant, conflict_id)
        ]
        versions = connection.execute(
            """
            SELECT version, candidates_digest, candidates, verdict, proposed_value, proposed_rule, ended_by_source,
                   ended_at
              FROM runtime.conflict_versions WHERE tenant_id = %s AND conflict_id = %s ORDER BY version
            """,
            (tenant, conflict_id),
        ).fetchall()
    candidates = [
        {"number": number, **one, **statements.get((one["source_id"], one["statement_id"]), {})}
        for number, one in enumerate(numbered(item.pop("candidates")), 1)
    ]
    standing = item.pop("signature_number")
    in_turn = any("proposed" in one for one in candidates)
    return {
        **item,
        "candidates": candidates,
        "proposal": {
            "value": item.pop("proposed_value"),
            "rule": item.pop("proposed_rule"),
            "explanation": [tell(each) for each in item.pop("explanation")],
            "decision": str(Decision.BOTH_RIGHT if in_turn else Decision.CANDIDATE),
            "numbers": [one["number"] for one in candidates if one["relation"] == "agrees" or "proposed" in one],
        },
        "choices": [
            {"decision": str(decision), "option": option, "says": tell(says)} for decision, option, says in CHOICES
        ],
        "what_signing_does": tell(WHAT_SIGNING_DOES),
        "who_may_sign": {"gate": GATE, "roles": list(signing_roles(runtime)), "not": reopened_by(item, history)},
        "signature": next((each for each in history if each["number"] == standing), None),
        "signatures": history,
        "versions": versions,
    }


def _statements(
    connection: Connection, tenant: TenantId, item: Mapping[str, Any]
) -> dict[tuple[str, str], dict[str, Any]]:
    """The statement behind each candidate, with its source's title and rights. Where it is about another entity by now,
    nothing is told of it."""
    candidates = item["candidates"]
    rows = connection.execute(
        """
        SELECT asked.source_id, asked.statement_id, said.entity_id, said.method, said.datatype, said.valid_from,
               said.valid_to, said.first_seen,
               CASE WHEN said.last_seen IS NOT NULL AND said.retired_at IS NULL
                    THEN greatest(said.last_seen, source.assembled_at) ELSE said.last_seen END AS last_seen,
               source.title AS source_title,
               source.rights AS source_rights, source.url AS source_url
          FROM unnest(%(sources)s::text[], %(statements)s::text[]) AS asked (source_id, statement_id)
          JOIN runtime.tenant_sources AS source ON source.tenant_id = %(tenant)s AND source.id = asked.source_id
          LEFT JOIN runtime.statements AS said
            ON said.tenant_id = %(tenant)s AND said.canonical_id = %(entity)s
               AND said.source_id = asked.source_id AND said.statement_id = asked.statement_id
        """,
        {
            "tenant": tenant,
            "entity": item["canonical_id"],
            "sources": [one["source_id"] for one in candidates],
            "statements": [one["statement_id"] for one in candidates],
        },
    ).fetchall()
    return {(row["source_id"], row["statement_id"]): row for row in rows}

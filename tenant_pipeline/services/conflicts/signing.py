"""One person's decision about one item: bound to exactly what was looked at, added to the history, audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.persons import is_same_person
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.core.standardise.reading import Context, Unreadable
from tenant_pipeline.core.standardise.stage import standardise_value
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.linking.pair import pair_ends, pair_id
from tenant_pipeline.services.conflicts import reading
from tenant_pipeline.services.conflicts.authority import Signer, require_entitled
from tenant_pipeline.services.conflicts.items import count_open_items
from tenant_pipeline.services.conflicts.refusals import AlreadyDecidedError, DecisionOutdatedError, NotEntitledError
from tenant_pipeline.services.conflicts.resolution_form import numbered
from tenant_pipeline.services.conflicts.signatures import (
    Decided,
    Decision,
    append_signature,
    reopened_by,
    signatures_of,
    sources_of,
)
from tenant_pipeline.services.entity_index import lock_identity
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

LONGEST_PIN = 10_000
SHOWN = "`tenant-pipeline conflict show` gives the item as it is now, with its digest."


@dataclass(frozen=True)
class Choice:
    """What is decided: candidate `number` of the form, another `value` (a human pin), both right, or a wrong link."""

    decision: Decision
    number: int | None = None
    value: str = ""


def resolve(
    runtime: Runtime, tenant: TenantId, conflict_id: str, *, digest: str, choice: Choice, signer: Signer
) -> dict[str, Any]:
    """Sign an item as the form showed it; return it as it then stands, with its signatures.

    `digest` is the form's `candidates_digest`. A wrong link leaves the item open and hands its members to link
    judgement. Nothing overwrites a statement. Raises DecisionOutdatedError when the candidates or their rules have
    changed since, AlreadyDecidedError when somebody has signed them, NotAllowedError when this person in this role
    may not, NotFoundError for no such item, and InputError for a choice that is none of the form's, or a wrong link
    that people have judged, or that one identifier made.
    """
    with runtime.database.tenant(tenant) as connection:
        require_entitled(runtime, connection, tenant, signer)
        if choice.decision is Decision.LINK_WRONG:
            # Locks in the order in which a judgement takes them: of linking, of the conflicts, of the judgements.
            lock_identity(connection, tenant)
        item = reading.item(connection, tenant, conflict_id, lock=True)
        history = signatures_of(connection, tenant, conflict_id)
        _require_current(connection, tenant, item, digest)
        if item["status"] == "signed":
            standing = next(each for each in history if each["number"] == item["signature_number"])
            raise AlreadyDecidedError(
                f"{standing['person']} has signed this item already, at {standing['signed_at'].isoformat()}",
                where=conflict_id,
                remedy="If that is wrong, have it reopened with a reason: `tenant-pipeline conflict reopen`.",
            )
        _require_other_than_requester(item, history, signer)
        decided = _decided(runtime, item, choice)
        number = append_signature(connection, tenant, conflict_id, digest, decided, signer)
        if decided.decision is Decision.LINK_WRONG:
            _hand_to_link_judgement(connection, tenant, item)
        else:
            connection.execute(
                """
                UPDATE runtime.conflicts SET status = 'signed', reopened = false, signature_number = %s
                 WHERE tenant_id = %s AND conflict_id = %s
                """,
                (number, tenant, conflict_id),
            )
            _count_anew(runtime, connection, tenant, conflict_id)
        _audit(runtime, connection, tenant, conflict_id, str(decided.decision), digest, signer)
        return _as_it_stands(connection, tenant, conflict_id)


def reopen(runtime: Runtime, tenant: TenantId, conflict_id: str, *, signer: Signer) -> dict[str, Any]:
    """Make the signature of an item void, on a person's word; return the item, open again.

    Whoever asks for another decision is its requester, and so does not give it. Raises InputError for an item that
    nobody has signed, NotEntitledError and NotFoundError as `resolve` does.
    """
    with runtime.database.tenant(tenant) as connection:
        require_entitled(runtime, connection, tenant, signer)
        item = reading.item(connection, tenant, conflict_id, lock=True)
        if item["status"] != "signed":
            raise InputError("Nobody has signed this item, so that there is nothing to reopen", where=conflict_id)
        digest = item["candidates_digest"]
        append_signature(connection, tenant, conflict_id, digest, Decided(Decision.VOID), signer)
        connection.execute(
            """
            UPDATE runtime.conflicts SET status = 'open', reopened = true, signature_number = NULL
             WHERE tenant_id = %s AND conflict_id = %s
            """,
            (tenant, conflict_id),
        )
        _count_anew(runtime, connection, tenant, conflict_id)
        _audit(runtime, connection, tenant, conflict_id, "reopen", digest, signer)
        return _as_it_stands(connection, tenant, conflict_id)


def _count_anew(runtime: Runtime, connection: Connection, tenant: TenantId, conflict_id: str) -> None:
    concerned = sources_of(connection, tenant, [conflict_id])
    count_open_items(connection, tenant, concerned, runtime.contracts.coverage_dimensions)


def _require_current(connection: Connection, tenant: TenantId, item: dict[str, Any], digest: str) -> None:
    if item["status"] == "stale":
        raise DecisionOutdatedError(
            "The sources no longer disagree, so that there is nothing to decide", where=item["conflict_id"]
        )
    if not item["candidates_digest"]:
        raise DecisionOutdatedError(
            "Its entity was judged to be another one, and its sources have yet to be compared again",
            where=item["conflict_id"],
            remedy="Let the sources that wait run through: `tenant-pipeline run`.",
        )
    if item["candidates_digest"] == digest:
        return
    former = connection.execute(
        """
        SELECT candidates FROM runtime.conflict_versions
         WHERE tenant_id = %s AND conflict_id = %s AND candidates_digest = %s ORDER BY version DESC LIMIT 1
        """,
        (tenant, item["conflict_id"], digest),
    ).fetchone()
    if former is None:
        raise DecisionOutdatedError(
            "That digest is none that this item has had", where=item["conflict_id"], remedy=SHOWN
        )
    raise DecisionOutdatedError(
        f"The item has changed since it was looked at: {_difference(former['candidates'], item['candidates'])}",
        where=item["conflict_id"],
        remedy=SHOWN,
    )


def _difference(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> str:
    """Which sources say something else than before, by their ids. No value is told."""

    def said(candidates: list[dict[str, Any]]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for one in candidates:
            found.setdefault(one["source_id"], set()).add(one["value"])
        return found

    old, new = said(before), said(now)
    changes = [f"{source} no longer takes part" for source in sorted(old.keys() - new.keys())]
    changes += [f"{source} has come" for source in sorted(new.keys() - old.keys())]
    changes += [
        f"{source} says another value" for source in sorted(old.keys() & new.keys()) if old[source] != new[source]
    ]
    return "; ".join(changes) or "the rules that compare them"


def _require_other_than_requester(item: dict[str, Any], history: list[dict[str, Any]], signer: Signer) -> None:
    reopener = reopened_by(item, history)
    if reopener is not None and is_same_person(reopener, signer.person):
        raise NotEntitledError(
            "Whoever has reopened an item does not sign it",
            where=item["conflict_id"],
            remedy="Have somebody else decide.",
        )


def _decided(runtime: Runtime, item: dict[str, Any], choice: Choice) -> Decided:
    if choice.decision is Decision.CANDIDATE:
        candidates = numbered(item["candidates"])
        if choice.number is None or not 1 <= choice.number <= len(candidates):
            raise InputError(
                "There is no such candidate", where="--take", remedy=f"A number from 1 to {len(candidates)}."
            )
        taken = candidates[choice.number - 1]
        return Decided(choice.decision, taken["value"], taken["source_id"], taken["statement_id"])
    if choice.decision is Decision.HUMAN_PIN:
        return Decided(choice.decision, _standardised(runtime, item, choice.value))
    if choice.decision in (Decision.BOTH_RIGHT, Decision.LINK_WRONG):
        return Decided(choice.decision)
    raise InputError("That is no decision of the form", where="--take, --value, --both-right or --link-wrong")


def _standardised(runtime: Runtime, item: dict[str, Any], value: str) -> str:
    """A pinned value, written as the property's other values are."""
    definition = runtime.contracts.vocabulary.property(item["property"])
    if not value.strip() or len(value) > LONGEST_PIN or "\0" in value:
        raise InputError("The value cannot be kept", where="--value", remedy=f"1 to {LONGEST_PIN} characters of text.")
    try:
        return standardise_value(definition.datatype, value, Context(item["lang"], definition)).value
    except Unreadable as unreadable:
        raise InputError(
            f"The value is no {definition.datatype}: {unreadable.reason}",
            where="--value",
            remedy="Write it as the property's other values are.",
        ) from None


def _hand_to_link_judgement(connection: Connection, tenant: TenantId, item: dict[str, Any]) -> None:
    """Propose to judge whether the entities that the candidates are about are the one they were linked to.

    What is of one home bears one identifier, and is mended in its source: raises InputError where all of them are. So
    it does where people have judged every one of the links: then it is a judgement that has to be reversed.
    """
    statements = [(one["source_id"], one["statement_id"]) for one in item["candidates"]]
    canonical = item["canonical_id"]
    entities = connection.execute(
        """
        SELECT DISTINCT said.source_id, said.entity_id, member.home_id
          FROM unnest(%s::text[], %s::text[]) AS asked (source_id, statement_id)
          JOIN runtime.statements AS said USING (source_id, statement_id)
          JOIN runtime.entity_members AS member USING (tenant_id, source_id, entity_id)
         WHERE said.tenant_id = %s AND said.canonical_id = %s
         ORDER BY said.source_id, said.entity_id
        """,
        ([source for source, _ in statements], [statement for _, statement in statements], tenant, canonical),
    ).fetchall()
    if len({entity["home_id"] for entity in entities}) == 1:
        raise InputError(
            "One identifier joined them: there is no link to judge",
            where=canonical,
            remedy="Withdraw the source that has it wrong, and hand it in anew with the identifier mended; of several, "
            "leave out those that the other home has by now.",
        )
    linked = [entity for entity in entities if entity["home_id"] != canonical]
    judged = []
    for entity in linked:
        home = entity.pop("home_id")
        ends = pair_ends(home, canonical)
        explanation = {
            "says": say("A person who looked at a conflict holds the link to be wrong."),
            "conflict_id": item["conflict_id"],
            **entity,
        }
        proposed = connection.execute(
            """
            INSERT INTO runtime.judgements (tenant_id, id, left_id, right_id, judgement, explanation, status)
            VALUES (%s, %s, %s, %s, 'unsure', %s, 'proposed')
            ON CONFLICT (tenant_id, id) DO UPDATE SET status = 'proposed', explanation = excluded.explanation
             WHERE judgements.status <> 'decided' RETURNING id
            """,
            (tenant, pair_id(*ends), *ends, Jsonb(explanation)),
        ).fetchone()
        if proposed is None:
            judged.append(ends)
    if judged and len(judged) == len(linked):
        row = connection.execute(
            """
            SELECT max(sequence) AS last FROM runtime.judgement_history
             WHERE tenant_id = %s AND left_id = %s AND right_id = %s
            """,
            (tenant, *judged[0]),
        ).fetchone()
        raise InputError(
            f"Somebody has judged that link: judgement {row['last'] if row else ''} stands",
            where=" ".join(judged[0]),
            remedy="Reverse that one: `tenant-pipeline link history` shows it.",
        )


def _audit(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    conflict_id: str,
    decision: str,
    digest: str,
    signer: Signer,
) -> None:
    details = {"role": signer.role, "reason": signer.reason, "decision": decision, "candidates_digest": digest}
    entry = AuditEntry(actor=signer.person, action="conflict.decided", subject=conflict_id, details=details)
    runtime.audit.append(connection, tenant, [entry])


def _as_it_stands(connection: Connection, tenant: TenantId, conflict_id: str) -> dict[str, Any]:
    item = reading.item(connection, tenant, conflict_id)
    return {**item, "signatures": signatures_of(connection, tenant, conflict_id)}

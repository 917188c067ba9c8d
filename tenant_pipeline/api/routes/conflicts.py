"""The conflict matrix: read by page and by cell, decided one by one or by rule; each decision is signed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.language import Telling
from tenant_pipeline.api.once import OnceOnly
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import SOURCE_ID, After, Digest, Identifier, Limit, Reason, RoleName
from tenant_pipeline.core.tenancy import source_id
from tenant_pipeline.services.conflicts import bulk_signing, reading, signing
from tenant_pipeline.services.conflicts.authority import Signer, signing_roles
from tenant_pipeline.services.conflicts.resolution_form import resolution_form
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.conflicts.signing import Choice

router = APIRouter(prefix="/api/tenant/{tenant}/conflicts", tags=["conflicts"], route_class=ConditionalRoute)

Verdict = Literal["same", "refines", "differs", "incomparable"]
Name = Annotated[str | None, Query(max_length=100, pattern=r"^[A-Za-z][A-Za-z0-9_.:-]*$")]
MOST_SHOWN = bulk_signing.MOST_AT_ONCE
ListedAfter = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9_-]*$")]
Rule = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z0-9 _.:-]+$")]


class Matrix(BaseModel):
    """A page of the matrix: an item is an entity's property in one language, with a cell for each source."""

    items: list[dict[str, Any]]
    next: str | None


class Totals(BaseModel):
    """The counts of each cell of sources × properties, and of all items."""

    totals: dict[str, int]
    counts: list[dict[str, Any]]


class Signature(BaseModel):
    """A decision about an item, on exactly the candidates that were shown (`candidates_digest`)."""

    digest: Digest
    role: RoleName
    reason: Reason


class OfCandidate(Signature):
    """What one of the candidates says, by its number in the form."""

    decision: Literal["candidate"]
    number: Annotated[int, Field(ge=1, le=10_000)]

    def choice(self) -> Choice:
        """What is decided."""
        return Choice(Decision.CANDIDATE, self.number)


class OfPin(Signature):
    """A value of the signer's own."""

    decision: Literal["human-pin"]
    value: Annotated[str, StringConstraints(min_length=1, max_length=10_000, pattern=r"^[^\x00]*$")]

    def choice(self) -> Choice:
        """What is decided."""
        return Choice(Decision.HUMAN_PIN, value=self.value)


class OfAll(Signature):
    """All of them are right, or they speak of different things."""

    decision: Literal["both-right", "link-wrong"]

    def choice(self) -> Choice:
        """What is decided."""
        return Choice(Decision(self.decision))


AnySignature = Annotated[OfCandidate | OfPin | OfAll, Field(discriminator="decision")]


class Reopening(BaseModel):
    """Why a signature is made void. Who asks for that does not sign anew."""

    role: RoleName
    reason: Reason


class ListSignature(BaseModel):
    """The proposals of one rule, exactly as the preview listed them (`digest`) after the same item."""

    rule: Rule
    verdict: Verdict = "differs"
    after: ListedAfter = ""
    digest: Digest
    role: RoleName
    reason: Reason


class Signed(BaseModel):
    """How many items were signed, and how many of the rule's are left."""

    signed: int
    left: int


class SignableRules(BaseModel):
    """The rules whose proposals can be signed at once, each with how many there are; and the roles that may sign."""

    rules: list[dict[str, Any]]
    who_may_sign: list[str]


@router.get("")
def conflicts(
    caller: CallerOf,
    runtime: RuntimeOf,
    tell: Telling,
    source: Annotated[str | None, Query(pattern=SOURCE_ID)] = None,
    type: Name = None,
    property: Name = None,
    verdict: Verdict | None = None,
    status: Literal["open", "explained", "signed", "stale"] | None = None,
    needs_person: bool | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Matrix:
    """A page of the matrix; those that differ come first, and of these those for a person."""
    wanted = reading.Filter(source_id(source) if source else None, type, property, verdict, status, needs_person)
    page = reading.page_of_matrix(runtime, caller.tenant, wanted, limit=limit, after=after)
    items = [{**item, "explanation": [tell(each) for each in item["explanation"]]} for item in page.items]
    return Matrix(items=items, next=page.next)


@router.get("/counts")
def counts(caller: CallerOf, runtime: RuntimeOf) -> Totals:
    """The heat map of sources × properties, and the totals."""
    return Totals(
        totals=reading.totals_of_matrix(runtime, caller.tenant),
        counts=reading.counts_of_matrix(runtime, caller.tenant),
    )


@router.get("/proposals/rules")
def signable_rules(caller: CallerOf, runtime: RuntimeOf) -> SignableRules:
    """Every rule that made proposals which need no person of their own, with how many."""
    return SignableRules(rules=bulk_signing.rules(runtime, caller.tenant), who_may_sign=list(signing_roles(runtime)))


@router.get("/proposals")
def proposals(
    caller: CallerOf,
    runtime: RuntimeOf,
    rule: Annotated[Rule, Query()],
    verdict: Verdict = "differs",
    after: Annotated[ListedAfter, Query()] = "",
    shown: Annotated[int, Query(ge=0, le=MOST_SHOWN)] = MOST_SHOWN,
) -> dict[str, Any]:
    """What signing the proposals of a rule would sign, and the digest of that list. A rule with more has further lists,
    each after the `next` of the one before. Only the items are cut to those to be `shown`."""
    found = bulk_signing.preview(runtime, caller.tenant, proposed_rule=rule, verdict=verdict, after=after)
    return {**found, "listed": len(found["items"]), "items": found["items"][:shown]}


@router.post("/proposals/signature")
def sign_proposals(said: ListSignature, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Signed:
    """Sign all of that list, or none when it has changed."""

    def act() -> Signed:
        signer = Signer(caller.person, said.role, said.reason)
        done = bulk_signing.sign_list(
            runtime,
            caller.tenant,
            proposed_rule=said.rule,
            verdict=said.verdict,
            digest=said.digest,
            signer=signer,
            after=said.after,
        )
        return Signed(signed=done.signed, left=done.left)

    return once.answer(caller, act)


@router.get("/{conflict}")
def form(conflict: Identifier, caller: CallerOf, runtime: RuntimeOf, tell: Telling) -> dict[str, Any]:
    """All it takes to decide one item: candidates with locators, the proposal and why, the choices, the history."""
    return resolution_form(runtime, caller.tenant, conflict, tell)


@router.post("/{conflict}/signature")
def sign(
    conflict: Identifier, said: AnySignature, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly
) -> dict[str, Any]:
    """Decide one item, and sign for it."""

    def act() -> dict[str, Any]:
        signer = Signer(caller.person, said.role, said.reason)
        return signing.resolve(
            runtime, caller.tenant, conflict, digest=said.digest, choice=said.choice(), signer=signer
        )

    return once.answer(caller, act)


@router.post("/{conflict}/reopening")
def reopen(
    conflict: Identifier, said: Reopening, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly
) -> dict[str, Any]:
    """Make the signature void; somebody else decides anew."""

    def act() -> dict[str, Any]:
        signer = Signer(caller.person, said.role, said.reason)
        return signing.reopen(runtime, caller.tenant, conflict, signer=signer)

    return once.answer(caller, act)

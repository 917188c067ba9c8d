"""The marketplace: what others show of their live releases, and what the tenant itself shows. No payments."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.callers import Caller
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.once import OnceOnly
from tenant_pipeline.api.routes.approvals import Requests, asked
from tenant_pipeline.api.routes.publishing import ASKING_ROLES
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import OptionalReason, Reason
from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.rows import row_as_json
from tenant_pipeline.services.going_live.listings import request_listing
from tenant_pipeline.services.marketplace.drafting import ListingTerms
from tenant_pipeline.services.marketplace.listing import WITHDRAWING_ROLES, list_listings, listing_history, withdraw
from tenant_pipeline.services.runtime import Runtime

router = APIRouter(prefix="/api/tenant/{tenant}", tags=["marketplace"], route_class=ConditionalRoute)


class Terms(BaseModel):
    """How a listing shows the live release."""

    visibility: Literal["private", "partners", "public"]
    share_scope: Literal["none", "listing", "read"]
    resell: bool = False
    reason: OptionalReason = ""


class Listing(BaseModel):
    """What was approved to be shown of a tenant's live release; how much of it there is says `share_scope`."""

    tenant: str
    title: dict[str, str]
    domain: str
    release: str
    version: str
    visibility: str
    share_scope: str
    resell: bool
    listed_at: str
    entities: int | None = None
    types: dict[str, int] = {}
    languages: dict[str, int] = {}
    rights: list[str] = []
    coverage: dict[str, str] = {}
    sample: list[dict[str, Any]] = []


class Listings(BaseModel):
    """Listings, the newest first."""

    listings: list[Listing]


class OwnListing(BaseModel):
    """The tenant's own listing, if it has one, and how its listings came and went."""

    listing: Listing | None
    history: list[dict[str, Any]] = Field(description="Step, release, person, reason, approvals; in order.")


class Withdrawal(BaseModel):
    """Why the listing is taken down."""

    reason: Reason


@router.get("/listings")
def listings(caller: CallerOf, runtime: RuntimeOf) -> Listings:
    """What the tenant may see of all: the public listings, those for partners where it is one, and its own."""
    found = list_listings(runtime, viewer=caller.tenant)
    return Listings(listings=[Listing.model_validate(each) for each in found])


@router.get("/listing")
def listing(caller: CallerOf, runtime: RuntimeOf) -> OwnListing:
    """The tenant's own listing."""
    return _own(runtime, caller)


@router.post("/listing", status_code=202)
def request(wanted: Terms, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Requests:
    """Ask for the approvals of a read-only listing in the marketplace."""
    caller.require(ASKING_ROLES)
    terms = ListingTerms(wanted.visibility, wanted.share_scope, wanted.resell)

    def act() -> Requests:
        return asked(request_listing(runtime, caller.tenant, terms, requested_by=caller.person, reason=wanted.reason))

    return once.answer(caller, act, 202)


@router.delete("/listing")
def take_down(why: Withdrawal, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> OwnListing:
    """Take the tenant's listing down. To show it again takes new approvals."""
    role = caller.require(WITHDRAWING_ROLES)

    def act() -> OwnListing:
        if not withdraw(runtime, caller.tenant, person=caller.person, role=role, reason=why.reason):
            raise NotFoundError("The tenant has no listing", where=caller.tenant, remedy="Ask for one.")
        return _own(runtime, caller)

    return once.answer(caller, act)


def _own(runtime: Runtime, caller: Caller) -> OwnListing:
    shown = [each for each in list_listings(runtime, viewer=caller.tenant) if each["tenant"] == caller.tenant]
    return OwnListing(
        listing=Listing.model_validate(shown[0]) if shown else None,
        history=[row_as_json(row) for row in listing_history(runtime, caller.tenant)],
    )

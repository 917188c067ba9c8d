"""The tenant's audit trail, to be read and searched; its growth is told by the live log."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import Limit, Moment
from tenant_pipeline.services.audit_trail import AuditFilter, read_audit

router = APIRouter(prefix="/api/tenant/{tenant}/audit", tags=["audit"], route_class=ConditionalRoute)

Text = Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Entry(BaseModel):
    """Something that happened: when, who did what to which subject, why, and on which approvals it rests."""

    sequence: int
    at: str
    actor: str
    action: str
    subject: str
    details: dict[str, Any]


class Trail(BaseModel):
    """A page of the trail, the newest first."""

    entries: list[Entry]
    next: int | None = Field(description="The `after` of the next page; none on the last.")


@router.get("")
def trail(
    caller: CallerOf,
    runtime: RuntimeOf,
    actor: Text = None,
    action: Annotated[
        str | None,
        Query(max_length=100, pattern=r"^[a-z0-9_.-]+$", description="One action, or a family: `approval`."),
    ] = None,
    subject: Text = None,
    since: Moment = None,
    until: Moment = None,
    limit: Limit = 50,
    after: Annotated[int | None, Query(ge=1, le=2**62, description="The `next` of the page before.")] = None,
) -> Trail:
    """What was done in the tenant, by whom, when and why. Open to whoever has a role in it, as the live log is."""
    wanted = AuditFilter(actor, action, subject, since, until)
    page = read_audit(runtime, caller.tenant, wanted, limit=limit, before=after)
    return Trail(entries=[Entry.model_validate(each) for each in page.entries], next=page.next)

"""From draft to live: what is asked for, what is published, and the way back. Each waits for its approvals."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.callers import Caller
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.once import OnceOnly
from tenant_pipeline.api.routes.approvals import Requests, asked
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import Limit, OptionalReason, Reason
from tenant_pipeline.core.rows import row_as_json
from tenant_pipeline.services.going_live.instances import request_instance
from tenant_pipeline.services.going_live.releases import request_release, request_rollback
from tenant_pipeline.services.releases.comparing import compare_releases
from tenant_pipeline.services.releases.reading import list_releases, live_release, publishing_history, release_named

router = APIRouter(prefix="/api/tenant/{tenant}", tags=["publishing"], route_class=ConditionalRoute)

ASKING_ROLES = ("contributor", "reviewer", "tenant-admin", "platform-governance")
"""Who may ask. Asking opens no gate: others have to sign, and never the one who asked."""

RELEASE_NAME = r"^([0-9]+\.[0-9]+\.[0-9]+|[0-9a-f]{8,64})$"
ReleaseName = Annotated[str, StringConstraints(pattern=RELEASE_NAME)]
ReleaseQuery = Annotated[str, Query(pattern=RELEASE_NAME)]


class Publication(BaseModel):
    """What is asked for: the draft's release, or the tenant's instance."""

    operation: Literal["release", "instance"] = "release"
    reason: OptionalReason = ""


class Rollback(BaseModel):
    """An earlier release, by its version or digest, and why readers should see it again."""

    to: ReleaseName
    reason: Reason


class Releases(BaseModel):
    """Every release that was built, the live one marked; and what was published and gone back to, in order."""

    releases: list[dict[str, Any]]
    history: list[dict[str, Any]]


class Difference(BaseModel):
    """What came, went or changed between two releases, or from nothing; a page of the entities."""

    before: str | None
    after: str
    counts: dict[str, int]
    entities: list[dict[str, Any]]
    next: str | None = Field(description="The `beyond` of the next page; none on the last.")


@router.post("/publish", status_code=202)
def publish(wanted: Publication, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Requests:
    """Build and check what is to be published, and ask for the approvals it takes; signed by all, it goes ahead."""
    caller.require(ASKING_ROLES)
    ask = request_release if wanted.operation == "release" else request_instance
    return once.answer(
        caller, lambda: asked(ask(runtime, caller.tenant, requested_by=caller.person, reason=wanted.reason)), 202
    )


@router.post("/rollback", status_code=202)
def rollback(wanted: Rollback, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Requests:
    """Ask for the approval that going back to an earlier release takes. History only ever grows."""
    caller.require(ASKING_ROLES)

    def act() -> Requests:
        with runtime.database.platform() as connection:
            named = release_named(connection, caller.tenant, wanted.to)
        return asked(
            request_rollback(runtime, caller.tenant, named.digest, requested_by=caller.person, reason=wanted.reason)
        )

    return once.answer(caller, act, 202)


@router.get("/releases")
def releases(caller: CallerOf, runtime: RuntimeOf) -> Releases:
    """The releases and the history of publishing."""
    return _releases(runtime, caller)


@router.get("/releases/difference")
def difference(
    after: ReleaseQuery,
    caller: CallerOf,
    runtime: RuntimeOf,
    before: Annotated[
        str | None, Query(pattern=RELEASE_NAME, description="None for all that `after` holds: a first release.")
    ] = None,
    limit: Limit = 100,
    beyond: Annotated[str, Query(max_length=200, description="The `next` of the page before.")] = "",
) -> Difference:
    """What entities and properties came, went or changed, with their sources; also of what is not published yet."""
    found = compare_releases(runtime, caller.tenant, before, after, limit=limit, beyond=beyond)
    return Difference(
        before=found.before.version if found.before else None,
        after=found.after.version,
        counts=asdict(found.counts),
        entities=[each.as_json() for each in found.shown],
        next=found.next,
    )


def _releases(runtime: Any, caller: Caller) -> Releases:
    with runtime.database.platform() as connection:
        live = live_release(connection, caller.tenant)
        rows = [
            {**each.as_json(), "live": live is not None and each.digest == live.digest}
            for each in list_releases(connection, caller.tenant)
        ]
        history = [row_as_json(row) for row in publishing_history(connection, caller.tenant)]
    return Releases(releases=rows, history=history)

"""What platform governance sees beyond one tenant: the report, and the tenants that a person governs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import Limit
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.rows import row_as_json
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.marts.drawing import draw_report
from tenant_pipeline.services.reading_across import GOVERNING_ROLE
from tenant_pipeline.services.roles import governed_tenants

router = APIRouter(
    prefix="/api/tenant/{tenant}/governance", tags=["governance"], route_class=ConditionalRoute
)  # fmt: skip


class GovernedTenant(BaseModel):
    """A tenant in which you hold a role of the platform: how far it is, and which roles those are."""

    id: str
    name: dict[str, str]
    tier: str
    status: str
    created_at: str
    go_live_at: str | None
    roles: list[str]


class GovernedTenants(BaseModel):
    """A page of tenants, by id."""

    tenants: list[GovernedTenant]
    next: str | None


@router.get("/tenants")
def tenants(
    caller: CallerOf,
    runtime: RuntimeOf,
    limit: Limit = 100,
    after: Annotated[
        str | None, Query(max_length=40, pattern=r"^[a-z0-9-]+$", description="The `next` of the page before.")
    ] = None,
) -> GovernedTenants:
    """The tenants that you govern: of each no more than its row of the registry.

    You need a role of the platform in the tenant that your token names, and see no tenant in which you have none.
    """
    caller.require(PLATFORM_ROLES)
    rows = governed_tenants(runtime, caller.person, limit=limit + 1, after=TenantId(after) if after else None)
    shown = [GovernedTenant.model_validate(row_as_json(row)) for row in rows[:limit]]
    return GovernedTenants(tenants=shown, next=shown[-1].id if len(rows) > limit else None)


@router.get("/report", response_class=HTMLResponse)
def report(caller: CallerOf, runtime: RuntimeOf) -> HTMLResponse:
    """The drawn report over every tenant that you govern; that you read it is noted in each one's audit log.

    You need the role of platform governance in the tenant that your token names.
    """
    caller.require((GOVERNING_ROLE,))
    page = draw_report(runtime, person=caller.person, reason="Read in the workspace")
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})

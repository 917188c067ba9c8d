"""The tenant at a glance."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.language import Telling
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.services.overview import overview_of

router = APIRouter(prefix="/api/tenant/{tenant}", tags=["overview"], route_class=ConditionalRoute)


@router.get("/overview")
def overview(caller: CallerOf, runtime: RuntimeOf, tell: Telling) -> dict[str, Any]:
    """How the tenant stands, and what waits for whom."""
    return overview_of(runtime, caller.tenant, caller.person, tell)

"""The governance report, for platform governance only."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.services.marts.drawing import draw_report
from tenant_pipeline.services.marts.reading import READING_ROLE

router = APIRouter(prefix="/api/tenant/{tenant}/governance", tags=["governance"])


@router.get("/report", response_class=HTMLResponse)
def report(caller: CallerOf, runtime: RuntimeOf) -> HTMLResponse:
    """The drawn report over every tenant that you govern; that you read it is noted in each one's audit log.

    You need the role of platform governance in the tenant that your token names.
    """
    caller.require((READING_ROLE,))
    page = draw_report(runtime, person=caller.person, reason="Read in the workspace")
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})

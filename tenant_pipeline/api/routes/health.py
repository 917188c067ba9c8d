"""For what watches the process: whether it lives, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from tenant_pipeline.api.problems import ProblemError
from tenant_pipeline.services.observation.readiness import why_not_ready

router = APIRouter(prefix="/api", include_in_schema=False)


class Health(BaseModel):
    """All is well."""

    status: str = "ok"


@router.get("/healthz")
async def alive() -> Health:
    """The process answers. It asks nobody else: a database that is away is no reason to end this process."""
    return Health()


@router.get("/readyz")
def ready(request: Request) -> Health:
    """The database answers and is of this code's version, keys can be read, objects written, and changes are heard.

    Raises a problem 503 naming the first examination that says otherwise.
    """
    unready = why_not_ready(request.app.state.runtime)
    if unready is not None:
        raise ProblemError(503, f"not-ready-{unready.examination}", unready.says, unready.remedy)
    if not request.app.state.wake_up.listening:
        raise ProblemError(503, "not-ready-wake-up", "The database's notifications are not heard yet", "Wait a second.")
    return Health()

"""The application: every route, behind the guards, over one running installation."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tenant_pipeline.api import metrics
from tenant_pipeline.api.authentication.authenticator import Authenticator
from tenant_pipeline.api.collaboration import connection
from tenant_pipeline.api.collaboration.rooms import Rooms
from tenant_pipeline.api.guards import BodyLimit, OriginGuard, RateLimit, RequestLog
from tenant_pipeline.api.problems import RESPONSES, handle_problems
from tenant_pipeline.api.routes import (
    approvals,
    audit,
    conflicts,
    coverage,
    feeds,
    flags,
    governance,
    health,
    inspection,
    labels,
    lifecycle,
    linking,
    live_log,
    marketplace,
    openid,
    overview,
    pages,
    panel_state,
    places,
    publishing,
    registration,
    session,
    sources,
    uploads,
)
from tenant_pipeline.api.wake_up import WakeUp
from tenant_pipeline.services.observation.figures import Figures
from tenant_pipeline.services.presence import MOVED
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.shared_state import EDITED

ROUTERS = (
    session, openid, labels, registration, overview, audit, live_log, sources, feeds, uploads, inspection, places,
    coverage, conflicts, linking, approvals, publishing, marketplace, lifecycle, flags, governance,
    panel_state,
)  # fmt: skip

LARGEST_BODY = 1024 * 1024
COUNTING_ROUTES = re.compile(r"PATCH /api/tenant/[^/]+/uploads/[^/]+|POST /api/tenant/[^/]+/inspection")
"""They write a body to the disk as it comes, once they know the caller, and each has a limit of its own."""
UPLOADS = re.compile(r"/api/tenant/[^/]+/uploads(/[^/]+)?")
"""A folder is thousands of requests: how many files and bytes may be on their way is limited there."""


def create_application(runtime: Runtime) -> FastAPI:
    """The application over a runtime, which stays its caller's to close."""
    application = FastAPI(
        title="Tenant Runtime",
        version="1.0.0",
        description="A tenant's way to its trusted knowledge base: sources, coverage, conflicts, approvals.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses=RESPONSES,
        lifespan=_living,
    )
    application.state.runtime = runtime
    application.state.authenticator = Authenticator(runtime)
    application.state.figures = Figures(runtime)
    application.state.rooms = rooms = Rooms(runtime)
    application.state.wake_up = WakeUp(runtime, {EDITED: rooms.edited, MOVED: rooms.moved})
    handle_problems(application)
    for routes in ROUTERS:
        application.include_router(routes.router)
    for routes in (connection, metrics, health):
        application.include_router(routes.router)
    pages.mount(application)
    application.add_middleware(BodyLimit, largest=LARGEST_BODY, counting=COUNTING_ROUTES)
    application.add_middleware(OriginGuard, public_url=runtime.settings.public_url)
    limit = runtime.settings.requests_per_minute
    application.add_middleware(RateLimit, requests_per_minute=limit, by_address=UPLOADS)
    application.add_middleware(RequestLog)
    return application


@asynccontextmanager
async def _living(application: FastAPI) -> AsyncIterator[None]:
    application.state.wake_up.start()
    yield
    await application.state.rooms.stop()
    await application.state.wake_up.stop()
    metrics.forget_this_process()

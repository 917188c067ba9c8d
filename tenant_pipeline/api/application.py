"""The application: every route, behind the guards, over one running installation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from tenant_pipeline.api.authentication.authenticator import Authenticator
from tenant_pipeline.api.authentication.key_sets import KeySet
from tenant_pipeline.api.guards import OriginGuard, RateLimit, RequestLog
from tenant_pipeline.api.problems import RESPONSES, handle_problems
from tenant_pipeline.api.routes import (
    approvals,
    conflicts,
    coverage,
    labels,
    linking,
    overview,
    publishing,
    registration,
    session,
    sources,
)
from tenant_pipeline.services.runtime import Runtime

ROUTERS = (session, labels, registration, overview, sources, coverage, conflicts, linking, approvals, publishing)


Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_application(runtime: Runtime, *, keys: KeySet | None = None, lifespan: Lifespan | None = None) -> FastAPI:
    """The application over a runtime. `keys` are an OpenID provider's, where they are known beforehand."""
    application = FastAPI(
        title="Tenant Runtime",
        version="1.0.0",
        description="A tenant's way to its trusted knowledge base: sources, coverage, conflicts, approvals.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses=RESPONSES,
        lifespan=lifespan,
    )
    application.state.runtime = runtime
    application.state.authenticator = Authenticator(runtime, keys)
    handle_problems(application)
    for routes in ROUTERS:
        application.include_router(routes.router)
    application.add_middleware(OriginGuard, public_url=runtime.settings.public_url)
    application.add_middleware(RateLimit, requests_per_minute=runtime.settings.requests_per_minute)
    application.add_middleware(RequestLog)
    return application

"""The runtime that the application runs over, for routes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from tenant_pipeline.services.runtime import Runtime


def runtime_of(connection: HTTPConnection) -> Runtime:
    """The application's runtime."""
    found: Runtime = connection.app.state.runtime
    return found


RuntimeOf = Annotated[Runtime, Depends(runtime_of)]

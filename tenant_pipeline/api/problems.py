"""What went wrong, as RFC 9457 problem details: never a value that was sent, a secret, or a word of the inside."""

from __future__ import annotations

import logging
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from tenant_pipeline.core.errors import (
    InputError,
    NotAllowedError,
    NotFoundError,
    OutageError,
    ProvisioningError,
    SourceStoppedError,
    TenantRuntimeError,
)
from tenant_pipeline.services.faults import in_our_words
from tenant_pipeline.storage.keys import KeysDestroyedError

PROBLEM_JSON = "application/problem+json"
REMEDIES = {413: "Send less in one request; files go to the uploads."}
"""Of refusals that come from around the routes, by status."""
REQUEST_INVALID = "request-invalid"
_log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[TenantRuntimeError], int], ...] = (
    (KeysDestroyedError, 410),
    (NotFoundError, 404),
    (NotAllowedError, 403),
    (SourceStoppedError, 409),
    (InputError, 409),
    (OutageError, 503),
    (ProvisioningError, 503),
)
"""422 says that a request is not what the description asks for. A request that is, and that cannot be done as things
stand, conflicts with how they stand: 409."""


class FieldProblem(BaseModel):
    """One field that cannot be used: where it is, and why."""

    where: str
    why: str


class Problem(BaseModel):
    """Problem details. `code` is stable and meant for programs; `where` and `remedy` are for people."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str = ""
    where: str = ""
    remedy: str = ""
    instance: str = Field("", description="The id of the request, as it stands in the log.")
    fields: list[FieldProblem] = []


class ProblemError(Exception):
    """A refusal of the interface itself."""

    def __init__(self, status: int, code: str, title: str, remedy: str = "", headers: dict[str, str] | None = None):
        self.status, self.code, self.title, self.remedy, self.headers = status, code, title, remedy, headers or {}
        super().__init__(title)


class NotSignedInError(ProblemError):
    """No token, or not a good one. It is not told which."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "not-signed-in",
            "You are not signed in",
            "Show an access token, or sign in again.",
            {"WWW-Authenticate": "Bearer"},
        )


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {PROBLEM_JSON: {}}, "description": description}
    for status, description in (
        (400, "The request cannot be read"),
        (401, "Not signed in"),
        (403, "Your roles do not allow it"),
        (404, "Not there, or not yours"),
        (409, "It cannot be done as things stand, somebody else was first, or the session is another person's by now"),
        (413, "The body is too long"),
        (422, "What was sent cannot be used"),
        (429, "Too many requests"),
        (503, "Something around us is away or used up: the same again in a while"),
    )
}


def status_of(error: TenantRuntimeError) -> int:
    """The HTTP status that says what kind of error it is; 500 for a fault of ours."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(request: Request, status: int, code: str, title: str, **more: Any) -> JSONResponse:
    """One problem as a response."""
    headers = more.pop("headers", None)
    instance = getattr(request.state, "request_id", "")
    body = Problem(status=status, code=code, title=title, instance=instance, **more)
    return JSONResponse(body.model_dump(), status, headers=headers, media_type=PROBLEM_JSON)


def _place(where: str) -> str:
    """Where it is, for who sent a body: the field's name, where the command line has an option."""
    return where.removeprefix("--").replace("-", "_") if where.startswith("--") else where


def handle_problems(application: FastAPI) -> None:
    """Have every error of the application answered as a problem."""

    @application.exception_handler(ProblemError)
    async def refused(request: Request, error: ProblemError) -> JSONResponse:
        return problem(request, error.status, error.code, error.title, remedy=error.remedy, headers=error.headers)

    @application.exception_handler(TenantRuntimeError)
    async def ours(request: Request, error: TenantRuntimeError) -> JSONResponse:
        status = status_of(error)
        if status >= 500:
            _log_fault(request, error, error.code)
        return problem(request, status, error.code, error.what, where=_place(error.where), remedy=error.remedy)

    @application.exception_handler(psycopg.Error)
    @application.exception_handler(OSError)
    async def around_us(request: Request, error: Exception) -> JSONResponse:
        told = in_our_words(error, where="", run_id="")
        if request.scope["type"] != "http" or not isinstance(told, OutageError):
            raise error
        _log_fault(request, error, told.code)
        remedy = "Try again in a while; `tenant-pipeline doctor` tells whoever runs this what it is."
        return problem(request, status_of(told), told.code, told.what, remedy=remedy)

    @application.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        fields = [
            FieldProblem(where="/".join(str(part) for part in each["loc"]), why=str(each["type"]))
            for each in error.errors()
        ]
        return problem(request, 422, REQUEST_INVALID, "The request cannot be used", fields=fields)

    @application.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        code, headers = f"http-{error.status_code}", dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(application, request))
        remedy = REMEDIES.get(error.status_code, "")
        return problem(request, error.status_code, code, str(error.detail), remedy=remedy, headers=headers)

    @application.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> JSONResponse:
        return problem(
            request, 500, "fault", "Something went wrong here", remedy="Try again; tell us the instance if it stays."
        )


def _log_fault(request: Request, error: Exception, code: str) -> None:
    tenant = request.path_params.get("tenant")
    fields = {"tenant": tenant, "code": code} if tenant else {"code": code}
    _log.error("fault: %s", code, exc_info=error, extra={"fields": fields})


def _methods(application: FastAPI, request: Request) -> list[str]:
    """Every method that the resource has, whichever of its routes was met first."""
    routes = (route for route in application.routes if isinstance(route, APIRoute))
    found = (route.methods or () for route in routes if route.path_regex.match(request.url.path))
    return sorted({method for methods in found for method in methods})

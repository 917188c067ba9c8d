"""Signing in to the workspace at an OpenID provider's page: there, and back."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from tenant_pipeline.api.authentication import session
from tenant_pipeline.api.authentication.authenticator import Authenticator, authenticator_of
from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.api.authentication.openid_sign_in import ATTEMPT_LIFETIME, Attempt, OpenIDSignIn
from tenant_pipeline.api.authentication.verification import TokenRefusedError
from tenant_pipeline.api.guards import own_origins
from tenant_pipeline.api.problems import ProblemError
from tenant_pipeline.api.routes.session import SESSION
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.services.access import TokenRevokedError, revoke_token

_log = logging.getLogger(__name__)
router = APIRouter(tags=["session"])

REFUSED, UNREACHABLE = "/#sign-in=refused", "/#sign-in=unreachable"
BACK = "/api/sign-in/openid/back"
PLACE = r"^(/|/kb/[a-z-]+|/workspace/[a-z0-9-]+/[a-z0-9-]+(\?[\x21-\x7e]*)?)$"


class Ways(BaseModel):
    """The ways in which a person can sign in: at the provider's page, or else by a link."""

    openid: bool


@router.get("/api/sign-in")
def ways(request: Request) -> Ways:
    """How one signs in here."""
    return Ways(openid=authenticator_of(request).openid is not None)


@router.get("/api/sign-in/openid", include_in_schema=False)
def leave(request: Request, to: Annotated[str, Query(max_length=500, pattern=PLACE)] = "/") -> RedirectResponse:
    """To the provider's page. The browser keeps what it takes to come back."""
    authenticator = authenticator_of(request)
    provider = _provider(authenticator)
    attempt = Attempt.to_go(to)
    try:
        page = provider.begin(attempt, _redirect_uri(request))
    except SettingsError as error:
        return _unreachable(error)
    response = RedirectResponse(page, 303)
    seconds = int(ATTEMPT_LIFETIME.total_seconds())
    session.keep_attempt(response, provider.seal(attempt), seconds, secure=authenticator.secure)
    return response


@router.get(BACK, include_in_schema=False)
def come_back(
    request: Request,
    runtime: RuntimeOf,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4096)] = "",
    iss: Annotated[str, Query(max_length=2000)] = "",
) -> RedirectResponse:
    """From the provider's page: the code is exchanged, and a session begun. Whatever is wrong, none is."""
    authenticator = authenticator_of(request)
    provider = _provider(authenticator)
    try:
        attempt = provider.opened(session.kept_attempt(request, secure=authenticator.secure), state)
        if not code or (iss and iss != provider.issuer):
            raise TokenRefusedError
        found = provider.finish(code, attempt, _redirect_uri(request))
        revoke_token(runtime, found, revoked_by=found.person, action="session.begun")
    except (TokenRefusedError, TokenRevokedError):
        response = RedirectResponse(REFUSED, 303)
    except SettingsError as error:
        return _unreachable(error)
    else:
        response = RedirectResponse(attempt.to, 303)
        token = LocalIssuer(runtime).session_token(found.person, found.tenant, SESSION)
        session.begin(response, token, int(SESSION.total_seconds()), secure=authenticator.secure)
    session.forget_attempt(response, secure=authenticator.secure)
    return response


def _unreachable(error: SettingsError) -> RedirectResponse:
    _log.error("%s: %s", error, error.remedy)
    return RedirectResponse(UNREACHABLE, 303)


def _provider(authenticator: Authenticator) -> OpenIDSignIn:
    if authenticator.openid is None:
        raise ProblemError(404, "not-found", "There is no OpenID provider here", "Ask for a sign-in link.")
    return authenticator.openid


def _redirect_uri(request: Request) -> str:
    (origin,) = own_origins(request.app.state.runtime.settings.public_url, request)
    return origin + BACK

"""The browser's session: the access token in a cookie that scripts cannot read and other sites cannot send."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response


def cookie_name(*, secure: bool) -> str:
    """`__Host-` binds the cookie to this very host, and asks for https; a loopback address without it does not."""
    return "__Host-session" if secure else "session"


def begin(response: Response, token: str, seconds: int, *, secure: bool) -> None:
    """Put the token into the session cookie for as long as it is good."""
    response.set_cookie(
        cookie_name(secure=secure), token, max_age=seconds, path="/", secure=secure, httponly=True, samesite="strict"
    )


def end(response: Response, *, secure: bool) -> None:
    """Take the session cookie away, and what the browser keeps of the answers that it opened."""
    response.headers["Clear-Site-Data"] = '"cache"'
    response.delete_cookie(cookie_name(secure=secure), path="/", secure=secure, httponly=True, samesite="strict")


def keep_attempt(response: Response, sealed: str, seconds: int, *, secure: bool) -> None:
    """Let the browser keep what its sign-in at the provider must remember.

    Lax, not Strict: it has to come along when the provider's page leads back here.
    """
    response.set_cookie(
        _attempt_name(secure=secure), sealed, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


def forget_attempt(response: Response, *, secure: bool) -> None:
    """Take it away again."""
    response.delete_cookie(_attempt_name(secure=secure), path="/", secure=secure, httponly=True, samesite="lax")


def kept_attempt(request: HTTPConnection, *, secure: bool) -> str:
    """What the browser has kept; '' for nothing."""
    return request.cookies.get(_attempt_name(secure=secure), "")


def _attempt_name(*, secure: bool) -> str:
    return "__Host-sign-in" if secure else "sign-in"


def shown_token(request: HTTPConnection, *, secure: bool) -> str:
    """The token that a request shows: as a bearer token (RFC 6750), or in the session cookie; '' without one.

    With a header of that name, whatever it holds, the cookie counts for nothing: then no origin was asked for.
    """
    if "authorization" not in request.headers:
        return request.cookies.get(cookie_name(secure=secure), "")
    kind, _, token = request.headers["authorization"].partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""

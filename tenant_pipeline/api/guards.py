"""What stands around every route: a request's id, log line and count, security headers, origins, limits."""

from __future__ import annotations

import logging
import re
import time
import uuid
from urllib.parse import urlsplit

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenant_pipeline.api.authentication.session import cookie_name
from tenant_pipeline.api.metrics import count_request
from tenant_pipeline.api.problems import PROBLEM_JSON, REMEDIES, Problem
from tenant_pipeline.telemetry.traces import span

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
TOO_LONG = "The body is too long"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_log = logging.getLogger("tenant_pipeline.api.requests")

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self'; connect-src 'self' data:; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def own_origins(public_url: str, connection: HTTPConnection) -> frozenset[str]:
    """The origins whose pages may act for a signed-in person: the public address, or else the host that was asked."""
    if public_url:
        parts = urlsplit(public_url)
        return frozenset({f"{parts.scheme}://{parts.netloc}"})
    scheme = "https" if connection.scope["scheme"] in ("https", "wss") else "http"
    return frozenset({f"{scheme}://{connection.headers.get('host', '')}"})


class RequestLog:
    """Gives each request an id (the caller's X-Request-ID if it is one), and tells log, metrics and trace of it.

    They hold the route, never the query, a header or a body.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers_given = Headers(scope=scope)
        given = headers_given.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        began, status = time.perf_counter(), 500
        fault: Exception | None = None

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-cache, private")
                    headers.setdefault("Vary", "Authorization, Cookie")
            await send(message)

        with span(f"http {scope['method']}", {"request_id": request_id}, parent=headers_given) as attribute:
            try:
                await self._application(scope, receive, answer)
            except Exception as error:
                fault = error
                raise
            finally:
                seconds = time.perf_counter() - began
                route = getattr(scope.get("route"), "path", "")
                tenant = scope.get("path_params", {}).get("tenant", "")
                count_request(scope["method"], route, status, seconds)
                attribute("http.route", route)
                attribute("http.request.method", scope["method"])
                attribute("http.response.status_code", status)
                attribute("tenant_runtime.tenant", tenant)
                entry = {
                    "request_id": request_id,
                    "method": scope["method"],
                    "route": route,
                    "tenant": tenant,
                    "status": status,
                    "milliseconds": round(seconds * 1000, 1),
                }
                _log.info("request", exc_info=fault, extra={"fields": entry})


class OriginGuard:
    """Refuses what another site's page would do in a signed-in person's name (CSRF).

    A request that changes something and comes with the session cookie must name an origin of ours; the browser adds it
    and a page cannot forge it. Bearer tokens are never sent by a browser of its own accord.
    """

    def __init__(self, application: ASGIApp, public_url: str) -> None:
        self._application = application
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            connection = HTTPConnection(scope)
            secure = self._public_url.startswith("https://")
            with_cookie = cookie_name(secure=secure) in connection.cookies
            ours = connection.headers.get("origin", "") in own_origins(self._public_url, connection)
            if with_cookie and "authorization" not in connection.headers and not ours:
                await _refusal(scope, 403, "foreign-origin", "The request comes from another site")(
                    scope, receive, send
                )
                return
        await self._application(scope, receive, send)


class RateLimit:
    """At most so many requests in a minute for each token, or for each address without one.

    `by_address` are the paths that have limits of their own for whoever asks: there only the address is counted.
    """

    def __init__(self, application: ASGIApp, requests_per_minute: int, by_address: re.Pattern[str]) -> None:
        self._application = application
        self._limit = RateLimitItemPerMinute(requests_per_minute)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._by_address = by_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = Headers(scope=scope)
        address = (scope.get("client") or ("", 0))[0]
        who = headers.get("authorization") or headers.get("cookie") or address
        free = self._by_address.fullmatch(scope["path"]) or await self._limiter.hit(self._limit, "who", str(hash(who)))
        # Whoever floods with ever new tokens is stopped by their address all the same.
        if free and await self._limiter.hit(RateLimitItemPerMinute(self._limit.amount * 10), "address", address):
            await self._application(scope, receive, send)
            return
        refusal = _refusal(scope, 429, "too-many-requests", "Too many requests", "Wait a little.")
        refusal.headers["Retry-After"] = str(self._limit.get_expiry() // 4)
        await refusal(scope, receive, send)


class BodyLimit:
    """Refuses a body that is longer than any that is read whole, before more of it is read.

    FastAPI reads a body before it asks who sends it, and answers what its own limit refuses in plain text. `counting`
    are the routes that know the caller first and count what they read, each as its method and path.
    """

    def __init__(self, application: ASGIApp, largest: int, counting: re.Pattern[str]) -> None:
        self._application = application
        self._largest = largest
        self._counting = counting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._counting.fullmatch(f"{scope['method']} {scope['path']}"):
            await self._application(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > self._largest:
            await _refusal(scope, 413, "http-413", TOO_LONG, REMEDIES[413])(scope, receive, send)
            return
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._largest:
                raise HTTPException(413, TOO_LONG)
            return message

        await self._application(scope, counted, send)


def _refusal(scope: Scope, status: int, code: str, title: str, remedy: str = "") -> JSONResponse:
    instance = scope.get("state", {}).get("request_id", "")
    body = Problem(status=status, code=code, title=title, remedy=remedy, instance=instance)
    return JSONResponse(body.model_dump(), status, media_type=PROBLEM_JSON)

"""Conditional reading (RFC 9110): an answer has an ETag of its content, and is not sent twice while it is the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

_KEPT = ("Content-Language", "Vary")
"""What an answer that is not sent again says all the same, so that caches know whose it is."""


class ConditionalRoute(APIRoute):
    """A route whose JSON answers to GET have an ETag, and that answers 304 to whoever has them already."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with the ETag around it."""
        answer = super().get_route_handler()

        async def conditional(request: Request) -> Response:
            response = await answer(request)
            kind = response.headers.get("content-type", "")
            if request.method != "GET" or response.status_code != 200 or not kind.startswith("application/json"):
                return response
            language = response.headers.get("content-language", "")
            etag = f'W/"{hashlib.sha256(language.encode() + bytes(response.body)).hexdigest()[:32]}"'
            known = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
            if etag in known or "*" in known:
                kept = {name: response.headers[name] for name in _KEPT if name in response.headers}
                return Response(status_code=304, headers={"ETag": etag, **kept})
            response.headers["ETag"] = etag
            return response

        return conditional

"""Requests that change something, answered once for each Idempotency-Key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar, cast

from fastapi import Depends, Header, Request, Response
from fastapi.encoders import jsonable_encoder

from tenant_pipeline.api.callers import Caller
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.services.idempotency import answer_once
from tenant_pipeline.services.runtime import Runtime

Answered = TypeVar("Answered")


@dataclass(frozen=True)
class Once:
    """One request that changes something, with its key if it has one."""

    runtime: Runtime
    key: str | None
    request: Sha256

    def answer(self, caller: Caller, act: Callable[[], Answered], status: int = 200) -> Answered:
        """The response with what `act` gives; with a key that was here before, with what it gave then.

        To the type checker it is what the route declares; it is a response already, which FastAPI sends as it is.
        """

        def acted() -> tuple[int, bytes]:
            return status, json.dumps(jsonable_encoder(act()), ensure_ascii=False).encode()

        if self.key is None:
            status_code, body = acted()
        else:
            status_code, body = answer_once(self.runtime, caller.tenant, caller.person, self.key, self.request, acted)
        return cast(Answered, Response(body, status_code, media_type="application/json"))


async def once(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$", description="The same key: done once."),
    ] = None,
) -> Once:
    """The request as one that is answered once."""
    body = await request.body()
    of = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode() + body).hexdigest()
    return Once(request.app.state.runtime, idempotency_key, Sha256(of))


OnceOnly = Annotated[Once, Depends(once)]

"""The instance's routes. Health is open; everything else wants the instance's access token."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from anyio import CancelScope, current_time, fail_after, to_thread
from fastapi import Depends, FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from tenant_pipeline.nerve.formats import geojson, jsonld
from tenant_pipeline.nerve.knowledge_base import LEAST_SCORE, BusyError, KnowledgeBase, NoReleaseError
from tenant_pipeline.nerve.settings import InstanceSettings

LONGEST_QUERY = 200
MOST_RESULTS = 100
NO_STORE = "no-cache, private"
PIECE = 64 * 1024
EXPORT_SECONDS = 300.0
LEAST_BYTES_A_SECOND = 64 * 1024
"""An export is cut off when its client has fallen EXPORT_SECONDS behind reading so much a second."""


class Found(BaseModel):
    """One entity whose name is like the query. `score` is 0-100; `matched` is the name that was likest."""

    id: str
    type: str
    label: str
    names: dict[str, list[str]]
    matched: str
    score: float


class SearchAnswer(BaseModel):
    """The entities that were found, the likest first, and the release that they are of."""

    release: str
    version: str
    results: list[Found]


class Provenance(BaseModel):
    """One source that says a value, and where in it."""

    source_id: str
    source_title: str
    origin: str
    authority_tier: int
    rights: str
    locator: str
    method: str
    observed_at: str | None


class Value(BaseModel):
    """One value of a property: the rule that chose it, and every source that says it."""

    property: str
    lang: str
    value: str
    datatype: str
    valid_from: str
    valid_to: str
    rule: str
    decided: bool
    others: int
    sources: list[Provenance]


class EntityPage(BaseModel):
    """One entity with the provenance of each value, and the release that it is of."""

    release: str
    version: str
    id: str
    type: str
    names: dict[str, list[str]]
    values: list[Value]


class Version(BaseModel):
    """Which release the instance serves, and which code serves it."""

    tenant: str
    release: str | None
    version: str | None
    template_version: str | None
    entities: int
    published_at: str | None
    code_version: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}} for status in (401, 403, 404, 422, 503)
}


class _Export(StreamingResponse):
    """Pieces of a snapshot, which is let go when they have been sent, and also when the client reads them no more."""

    def __init__(self, pieces: Generator[bytes, None, None], media_type: str, headers: dict[str, str]) -> None:
        super().__init__(pieces, media_type=media_type, headers=headers)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(self._pieces.close)

    async def stream_response(self, send: Send) -> None:
        with fail_after(EXPORT_SECONDS) as scope:

            async def paced(message: Message) -> None:
                await send(message)
                earned = len(message.get("body", b"")) / LEAST_BYTES_A_SECOND
                scope.deadline = min(scope.deadline + earned, current_time() + EXPORT_SECONDS)

            await super().stream_response(paced)


_BEARER = HTTPBearer(auto_error=False)


def entitled(request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> None:
    """Let through who shows the instance's token. Compared in constant time."""
    token = shown.credentials if shown else ""
    if not hmac.compare_digest(token.encode(), request.app.state.access_token.encode()):
        raise HTTPException(401, "This instance wants its access token.", {"WWW-Authenticate": "Bearer"})


def create_application(settings: InstanceSettings) -> FastAPI:
    """The application of one instance."""
    knowledge_base = KnowledgeBase(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        knowledge_base.close()

    application = FastAPI(
        title=f"Nerve of {settings.tenant}",
        version="1.0.0",
        description="The tenant's live release: search, entities with the provenance of each value, and exports.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # its own route would be open, and tells whose instance this is
        responses=PROBLEMS,
    )
    application.state.access_token = settings.access_token
    guarded: Any = [Depends(entitled)]

    @application.get("/health/live", tags=["health"])
    def live() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "live"}

    @application.get("/health/ready", tags=["health"])
    def ready() -> dict[str, str]:
        """Whether a release can be read."""
        with knowledge_base.snapshot() as snapshot:
            return {"status": "ready", "version": snapshot.live().version}

    @application.get("/version", dependencies=guarded, tags=["release"])
    def version() -> Version:
        """Which release is live."""
        with knowledge_base.snapshot() as snapshot:
            release = snapshot.live()
        return Version(
            tenant=settings.tenant,
            release=release.digest,
            version=release.version,
            template_version=release.template_version,
            entities=release.entities,
            published_at=release.published_at,
            code_version=settings.code_version,
        )

    @application.get("/flags", dependencies=guarded, tags=["release"])
    def flags() -> dict[str, Any]:
        """The feature flags that hold here."""
        with knowledge_base.snapshot() as snapshot:
            return snapshot.flags()

    @application.get("/search", dependencies=guarded, tags=["knowledge base"])
    def search(
        response: Response,
        q: Annotated[str, Query(min_length=1, max_length=LONGEST_QUERY, description="A name, or part of one.")],
        type: Annotated[str | None, Query(max_length=60, description="Only entities of this type.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_RESULTS)] = 20,
    ) -> SearchAnswer:
        """Entities by name: Thai, English or Chinese, traditional or simplified, a part of it, or mistyped."""
        if "\0" in q or "\0" in (type or ""):
            raise HTTPException(422, "A name has no NUL character.")
        with knowledge_base.snapshot() as snapshot:
            release = snapshot.live()
            least = float(snapshot.flags().get("instance.search_least_score", LEAST_SCORE))
            results = [Found(**row) for row in snapshot.search(q, type_=type, limit=limit, least_score=least)]
        _tag(response, release.digest)
        return SearchAnswer(release=release.digest, version=release.version, results=results)

    @application.get("/entities/{identifier}", dependencies=guarded, tags=["knowledge base"])
    def entity(
        response: Response, identifier: Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    ) -> EntityPage:
        """One entity: every value with the rule that chose it and every source that says it."""
        with knowledge_base.snapshot() as snapshot:
            release, document = snapshot.live(), snapshot.entity(identifier)
        if document is None:
            raise HTTPException(404, "The live release has no such entity.")
        _tag(response, release.digest)
        return EntityPage(release=release.digest, version=release.version, **document)

    @application.get("/export.geojson", dependencies=guarded, tags=["exports"], response_class=Response)
    def export_geojson() -> Response:
        """Every entity that has a place, as GeoJSON (RFC 7946)."""
        return _stream(lambda documents: geojson(documents), "application/geo+json")

    @application.get("/export.jsonld", dependencies=guarded, tags=["exports"], response_class=Response)
    def export_jsonld(request: Request) -> Response:
        """Every entity as JSON-LD with schema.org's terms."""
        base = str(request.base_url)
        return _stream(lambda documents: jsonld(documents, base), "application/ld+json")

    @application.get("/openapi.json", dependencies=guarded, include_in_schema=False)
    def description() -> dict[str, Any]:
        """The description of all this."""
        return application.openapi()

    def _stream(write: Callable[[Iterator[dict[str, Any]]], Iterator[bytes]], media_type: str) -> Response:
        # The first piece is read before the answer begins, so that what cannot be read is told as a problem.
        def pieces() -> Generator[bytes, None, None]:
            with knowledge_base.export() as snapshot:
                if snapshot.flags().get("instance.exports", True) is not True:
                    raise HTTPException(403, "Exports are switched off for this tenant.")
                yield snapshot.live().digest.encode()
                waiting = bytearray()
                for piece in write(snapshot.documents()):
                    waiting += piece
                    if len(waiting) >= PIECE:
                        yield bytes(waiting)
                        waiting.clear()
                yield bytes(waiting)

        opened = pieces()
        digest = next(opened).decode()
        return _Export(opened, media_type, {"ETag": f'"{digest}"', "Cache-Control": NO_STORE})

    @application.middleware("http")
    async def harden(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", NO_STORE)
        return response

    @application.exception_handler(HTTPException)
    async def told(_: Request, error: HTTPException) -> JSONResponse:
        return _problem(error.status_code, str(error.detail), dict(error.headers or {}))

    @application.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        places = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return _problem(422, places)

    @application.exception_handler(NoReleaseError)
    async def empty(_: Request, __: NoReleaseError) -> JSONResponse:
        return _problem(503, "Nothing has been published yet.", {"Retry-After": "30"})

    @application.exception_handler(BusyError)
    async def busy(_: Request, __: BusyError) -> JSONResponse:
        return _problem(503, "The knowledge base does not answer in time.", {"Retry-After": "2"})

    return application


_TITLES = {
    401: "Not entitled",
    403: "Switched off",
    404: "Not found",
    405: "Not that way",
    422: "Cannot be understood",
    503: "Not now",
}


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    problem = Problem(title=_TITLES.get(status, "Problem"), status=status, detail=detail)
    return JSONResponse(
        problem.model_dump(), status_code=status, media_type="application/problem+json", headers=headers
    )


def _tag(response: Response, digest: str) -> None:
    response.headers["ETag"] = f'"{digest}"'

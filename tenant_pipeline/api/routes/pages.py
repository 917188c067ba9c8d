"""The workspace's own pages: one document for every panel, and what it loads."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from tenant_pipeline import workspace

router = APIRouter(include_in_schema=False)

FOLDER = Path(workspace.__file__).parent
SENT = (".js", ".css", ".svg", ".woff2", ".geojson", ".txt")


@router.get("/")
@router.get("/workspace/{tenant}/{panel}")
@router.get("/kb/enterprise-upload")
@router.get("/kb/intake-workspace")
def page() -> FileResponse:
    """The document. Which panel it shows, its scripts read from the address; one without a tenant they replace."""
    return FileResponse(FOLDER / "index.html", headers={"Cache-Control": "no-cache"})


class _Assets(StaticFiles):
    """Scripts, styles, fonts and pictures, and nothing that is not for the browser."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """The file of a path, if it is of a kind that is sent."""
        return super().lookup_path(path) if Path(path).suffix in SENT else ("", None)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or that it has not changed."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def mount(application: FastAPI) -> None:
    """Serve the pages and what they load; everything is asked for again by its ETag, so that none is ever stale."""
    application.include_router(router)
    application.mount("/static", _Assets(directory=FOLDER), name="static")

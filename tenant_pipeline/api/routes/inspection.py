"""What would be seen in a file, before it is handed in. Nothing of it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from tenant_pipeline.api.at_once import AtOnce
from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.problems import ProblemError
from tenant_pipeline.api.routes.sources import HANDING_IN_ROLES
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.contracts.contracts import Contracts
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.services.inspection import WHILE_SOMEBODY_WAITS, InspectedObject, inspect_path
from tenant_pipeline.storage.owned_folder import working_folder

router = APIRouter(prefix="/api/tenant/{tenant}", tags=["uploads"])

LARGEST = 64 * 1024 * 1024
INSPECTIONS = AtOnce(2, "too-many-inspections", "Others have files inspected just now")

OCTETS = {"requestBody": {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}


class Inspection(BaseModel):
    """What was found: formats, tables, the mapping that would be proposed, and problems."""

    objects: list[dict[str, Any]]


@router.post("/inspection", openapi_extra=OCTETS)
async def inspect(
    caller: CallerOf,
    runtime: RuntimeOf,
    request: Request,
    filename: Annotated[str, Query(min_length=1, max_length=255, pattern=r"^[^/\\\x00-\x1f]+$")],
    origin: Origin = Origin.MIXED,
) -> Inspection:
    """Inspect a file of at most 64 MiB, sent as it is. What there is no time for is told as `not-looked-at`."""
    caller.require(HANDING_IN_ROLES)
    if filename in (".", ".."):
        raise ProblemError(404, "not-found", "That is no file")
    with working_folder("upload") as folder:
        path = folder / filename
        size = 0
        try:
            with path.open("wb") as file:
                async for piece in request.stream():
                    size += len(piece)
                    if size > LARGEST:
                        raise ProblemError(413, "file-too-long", "The file is too long to inspect", "Hand it in.")
                    await to_thread.run_sync(file.write, piece)
        except OSError:
            raise ProblemError(404, "not-found", "The file cannot have that name", "Shorten its name.") from None
        found = await to_thread.run_sync(_inspected, path, origin, runtime.contracts)
    return Inspection(objects=[each.as_json() for each in found])


def _inspected(path: Path, origin: Origin, contracts: Contracts) -> list[InspectedObject]:
    with INSPECTIONS.place():
        return inspect_path(path, origin, contracts, WHILE_SOMEBODY_WAITS)

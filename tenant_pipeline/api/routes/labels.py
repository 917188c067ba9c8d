"""The names of things in the three languages, from the contracts: origins, unit modes, panels, roles, gates, stages."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.running import RuntimeOf

router = APIRouter(tags=["labels"], route_class=ConditionalRoute)


class Labels(BaseModel):
    """By kind and id: the label in Thai, English and Chinese."""

    labels: dict[str, dict[str, dict[str, str]]]


@router.get("/api/labels")
def labels(runtime: RuntimeOf) -> Labels:
    """Every label of the contracts."""
    return Labels(labels=runtime.contracts.labels)


@router.get("/api/health/live", tags=["health"])
def live() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "live"}


@router.get("/api/health/ready", tags=["health"])
def ready(runtime: RuntimeOf) -> dict[str, Any]:
    """Whether the database answers."""
    with runtime.database.platform() as connection:
        connection.execute("SELECT 1")
    return {"status": "ready"}

"""Where the tenant's places are, as its draft has them: a GeoJSON for the map."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.services.places import places_of

router = APIRouter(prefix="/api/tenant/{tenant}", tags=["overview"], route_class=ConditionalRoute)


class Places(BaseModel):
    """A FeatureCollection (RFC 7946) of points; `cut` says that there are more than are given."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[dict[str, Any]]
    cut: bool


@router.get("/places")
def places(caller: CallerOf, runtime: RuntimeOf) -> Places:
    """Each entity that has a position, at that of its best source, with its names."""
    found = places_of(runtime, caller.tenant)
    return Places(features=found.features, cut=found.cut)

"""How one left the panels of the workspace: one's own to read and to keep."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.services import panel_state

router = APIRouter(prefix="/api/tenant/{tenant}/workspace", tags=["workspace"], route_class=ConditionalRoute)


class PanelState(BaseModel):
    """The view mode, the panel that was open last, and the filters of each panel, all as the contract names them."""

    model_config = ConfigDict(extra="forbid")

    mode: str = ""
    panel: str = ""
    filters: dict[str, dict[str, str]] = {}


@router.get("/panels")
def panels(caller: CallerOf, runtime: RuntimeOf) -> PanelState:
    """How you left the panels."""
    return PanelState.model_validate(asdict(panel_state.panel_state_of(runtime, caller.tenant, caller.person)))


@router.put("/panels")
def keep_panels(wanted: PanelState, caller: CallerOf, runtime: RuntimeOf) -> PanelState:
    """Keep how you left the panels; nobody else sees it. It takes the place of what was kept before."""
    state = panel_state.PanelState(wanted.mode, wanted.panel, wanted.filters)
    kept = panel_state.keep_panel_state(runtime, caller.tenant, caller.person, state)
    return PanelState.model_validate(asdict(kept))

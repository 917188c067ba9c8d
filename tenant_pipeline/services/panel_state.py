"""How each person left the panels, kept for them and for nobody else: so they find them on another device too.

It is a view and decides nothing. What can be kept is closed: the panels of the contract, its view modes, and filters by
name whose values are words and ids; no search words, and nothing that a person typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime

FILTERS = frozenset(
    {"dimension", "gate", "origin", "property", "source", "stage", "state", "status", "step", "verdict"}
)
"""What of a panel's address is kept: what narrows it, and not the one thing that was looked at."""
_VALUE = re.compile(r"[A-Za-z][A-Za-z0-9._:-]{0,99}", re.ASCII)

# People who have no role here any more are left out, whoever writes.
_KEEP = """
INSERT INTO runtime.tenant_workspaces AS kept (tenant_id, panel_state)
VALUES (%(tenant)s, jsonb_build_object('people', jsonb_build_array(%(state)s::jsonb)))
ON CONFLICT (tenant_id) DO UPDATE
   SET panel_state = jsonb_build_object('people', (
       SELECT coalesce(jsonb_agg(one), '[]') || jsonb_build_array(%(state)s::jsonb)
         FROM jsonb_array_elements(coalesce(kept.panel_state -> 'people', '[]')) AS one
        WHERE one ->> 'person' <> %(person)s
          AND EXISTS (SELECT FROM runtime.tenant_user_roles AS held
                       WHERE held.tenant_id = %(tenant)s AND held.person = one ->> 'person')))
"""

_READ = """
SELECT one.state
  FROM runtime.tenant_workspaces AS kept
 CROSS JOIN LATERAL jsonb_array_elements(kept.panel_state -> 'people') AS one (state)
 WHERE kept.tenant_id = %s AND one.state ->> 'person' = %s
"""


@dataclass(frozen=True)
class PanelState:
    """The view mode, the panel that was open last, and the filters of each panel; empty where nothing was kept."""

    mode: str = ""
    panel: str = ""
    filters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def panel_state_of(runtime: Runtime, tenant: TenantId, person: str) -> PanelState:
    """How the person left the panels of this tenant."""
    with runtime.database.tenant(tenant) as connection:
        row = connection.execute(_READ, (tenant, person)).fetchone()
    if row is None:
        return PanelState()
    return PanelState(**{name: value for name, value in row["state"].items() if name != "person"})


def keep_panel_state(runtime: Runtime, tenant: TenantId, person: str, state: PanelState) -> PanelState:
    """Keep how the person left the panels, in the place of what was kept.

    Raises InputError for a mode, panel or filter that is none of the workspace's.
    """
    _require_known(runtime, state)
    said: dict[str, Any] = {"person": person, **asdict(state)}
    with runtime.database.tenant(tenant) as connection:
        connection.execute(_KEEP, {"tenant": tenant, "person": person, "state": Jsonb(said)})
    return state


def _require_known(runtime: Runtime, state: PanelState) -> None:
    workspace = runtime.contracts.documents["hybrid_intake_workspace"]
    modes = {each["id"] for each in workspace["workspace_view_modes"]}
    panels = {each["id"] for each in workspace["workspace_panels"]}
    if state.mode and state.mode not in modes:
        raise InputError("There is no such view mode", where="mode", remedy=f"One of {', '.join(sorted(modes))}.")
    if not {*state.filters, *filter(None, [state.panel])} <= panels:
        raise InputError(
            "There is no such panel", where="panel, filters", remedy=f"One of {', '.join(sorted(panels))}."
        )
    for filters in state.filters.values():
        if not filters.keys() <= FILTERS:
            raise InputError("There is no such filter", where="filters", remedy=f"One of {', '.join(sorted(FILTERS))}.")
        if not all(_VALUE.fullmatch(value) for value in filters.values()):
            raise InputError("A filter has the value of a word or an id", where="filters")

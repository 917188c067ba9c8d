"""`gate list | override`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, PersonOption, RoleOption, TenantOption
from tenant_pipeline.cli.shell import moment, opened, print_row, print_rows
from tenant_pipeline.core.gate import Gate
from tenant_pipeline.core.tenancy import source_id, tenant_id
from tenant_pipeline.services import gates, registry

app = typer.Typer(help="The gates that a source meets on its way.", no_args_is_help=True)

COLUMNS = ("source", "gate", "band", "open", "reasons", "overridden_by", "overridden_until")


@app.command("list")
def list_(
    tenant: TenantOption,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Every verdict, newest first, with its reasons and the override in force."""
    with opened() as runtime:
        registry.show_tenant(runtime, tenant_id(tenant))
        with runtime.database.tenant(tenant_id(tenant)) as connection:
            found = gates.states(connection, tenant_id(tenant), runtime.now(), source_id(source) if source else None)
    print_rows(f"Gates of {tenant}", [state.as_json() for state in found], COLUMNS, as_json=as_json)


@app.command()
def override(
    tenant: TenantOption,
    source: Annotated[str, typer.Option(help="The source's id.")],
    gate: Annotated[Gate, typer.Option(help="Which gate.")],
    person: PersonOption,
    role: RoleOption,
    reason: Annotated[str, typer.Option(help="Why it is right.")],
    until: Annotated[datetime, typer.Option(help="Until when; in UTC where no zone is said.", parser=moment)],
    as_json: JsonOption = False,
) -> None:
    """Let a source pass a closed gate until a time, on a named person's word. It is audited, and it expires."""
    with opened() as runtime:
        state = gates.override(
            runtime,
            tenant_id(tenant),
            source_id(source),
            gate,
            person=person,
            role=role,
            reason=reason,
            expires_at=until,
        )
    print_row("Overridden", state.as_json(), COLUMNS, as_json=as_json)

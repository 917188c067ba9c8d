"""`flag list | set | clear | history`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, ReasonOption, TenantOption
from tenant_pipeline.cli.shell import moment, opened, print_rows
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services.feature_flags import overrides

app = typer.Typer(help="What is switched on for a tenant.", no_args_is_help=True)

FlagOption = Annotated[str, typer.Option("--flag", help="The flag's name.")]
PersonOption = Annotated[str, typer.Option(help="Who you are.")]
RoleOption = Annotated[str, typer.Option(help="In which role: one that owns the flag.")]

COLUMNS = ("flag", "value", "default", "until", "owners", "description")
HISTORY_COLUMNS = ("at", "flag", "act", "value", "person", "role", "reason", "expires_at")


@app.command("list")
def list_(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Every flag as it holds for the tenant now."""
    with opened() as runtime:
        rows = overrides.list_flags(runtime, tenant_id(tenant))
    print_rows(f"Flags of {tenant}", rows, COLUMNS, as_json=as_json)


@app.command("set")
def set_(
    tenant: TenantOption,
    flag: FlagOption,
    value: Annotated[str, typer.Option(help='As JSON: true, 0.3, "text".')],
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    until: Annotated[
        datetime | None,
        typer.Option(help="Until when, in UTC where no zone is said; for good without it.", parser=moment),
    ] = None,
) -> None:
    """Give a flag a value of the tenant's own. Audited."""
    try:
        read = json.loads(value)
    except ValueError:
        raise InputError("The value is not JSON", where="--value", remedy='Write true, 0.3 or "text".') from None
    with opened() as runtime:
        overrides.set_flag(
            runtime,
            tenant_id(tenant),
            flag,
            read,
            person=person,
            role=role,
            reason=reason,
            expires_at=until,
        )


@app.command()
def clear(tenant: TenantOption, flag: FlagOption, person: PersonOption, role: RoleOption, reason: ReasonOption) -> None:
    """Let the default hold again. Audited."""
    with opened() as runtime:
        overrides.clear_flag(runtime, tenant_id(tenant), flag, person=person, role=role, reason=reason)


@app.command()
def history(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Who set and cleared what, when and why, in order."""
    with opened() as runtime:
        rows = overrides.history_of(runtime, tenant_id(tenant))
    print_rows(f"Flags of {tenant}", rows, HISTORY_COLUMNS, as_json=as_json)

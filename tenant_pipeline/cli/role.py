"""`role grant | revoke | list | appoint | dismiss | appointed`."""

from __future__ import annotations

from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, ReasonOption, TenantOption
from tenant_pipeline.cli.shell import opened, operator, print_rows
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services import appointments, roles
from tenant_pipeline.services.registry import show_tenant

app = typer.Typer(help="Who may do what in a tenant.", no_args_is_help=True)

PersonOption = Annotated[str, typer.Option(help="The person, as other commands name them.")]
PlatformRoleOption = Annotated[str, typer.Option(help="platform-governance or founder.")]
RoleOption = Annotated[str, typer.Option(help="A role of the contract, such as reviewer or platform-governance.")]


@app.command()
def grant(tenant: TenantOption, person: PersonOption, role: RoleOption) -> None:
    """Give a person a role in a tenant. It is audited under the operator's login."""
    with opened() as runtime:
        roles.grant_role(runtime, tenant_id(tenant), person=person, role=role, granted_by=operator())


@app.command()
def revoke(tenant: TenantOption, person: PersonOption, role: RoleOption) -> None:
    """Take a role from a person again. What they decided in it stands."""
    with opened() as runtime:
        roles.revoke_role(runtime, tenant_id(tenant), person=person, role=role, revoked_by=operator())


@app.command("list")
def list_(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Who has which role."""
    with opened() as runtime:
        show_tenant(runtime, tenant_id(tenant))
        rows = roles.list_roles(runtime, tenant_id(tenant))
    print_rows(f"Roles in {tenant}", rows, ("person", "role", "granted_by", "granted_at"), as_json=as_json)


@app.command()
def appoint(person: PersonOption, role: PlatformRoleOption, reason: ReasonOption) -> None:
    """Have a person hold a role of the platform in every tenant that is registered from now on."""
    with opened() as runtime:
        appointments.appoint(runtime, person=person, role=role, decided_by=operator(), reason=reason)


@app.command()
def dismiss(person: PersonOption, role: PlatformRoleOption, reason: ReasonOption) -> None:
    """Let a person hold a role of the platform in no further tenant. What they hold stays until it is revoked."""
    with opened() as runtime:
        appointments.dismiss(runtime, person=person, role=role, decided_by=operator(), reason=reason)


@app.command()
def appointed(as_json: JsonOption = False) -> None:
    """Who was appointed and dismissed, when, by whom and why, in order; of each the last counts."""
    with opened() as runtime:
        rows = appointments.appointments(runtime)
    print_rows("Appointments", rows, ("at", "person", "role", "step", "decided_by", "reason"), as_json=as_json)

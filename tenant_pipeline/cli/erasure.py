"""`erasure request | list | show | run`: all that a tenant has."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, PersonOption, ReasonOption, RoleOption, TenantOption
from tenant_pipeline.cli.shell import opened, print_json, print_rows
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services.erasure import requests
from tenant_pipeline.services.erasure.whole_tenant import erase_tenant

app = typer.Typer(help="Erase all that a tenant has, and prove it.", no_args_is_help=True)

COLUMNS = ("id", "state", "requested_by", "requested_at", "due", "days_left", "overdue", "reason")

RequestOption = Annotated[uuid.UUID, typer.Option("--request", help="The request's id.")]


@app.command()
def request(
    tenant: TenantOption,
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Ask for all that a tenant has to be erased. Nothing is erased yet. It is audited."""
    with opened() as runtime:
        requests.request_erasure(runtime, tenant_id(tenant), person=person, role=role, reason=reason)
    list_(tenant, as_json)


@app.command("list")
def list_(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Every request, with what is left of its thirty days."""
    with opened() as runtime:
        rows = [each.as_json(runtime.now()) for each in requests.list_requests(runtime, tenant_id(tenant))]
    print_rows(f"Erasure of {tenant}", rows, COLUMNS, as_json=as_json)


@app.command()
def show(tenant: TenantOption, identifier: RequestOption) -> None:
    """One request with each step that is done, and its proof, as JSON."""
    with opened() as runtime:
        with runtime.database.tenant(tenant_id(tenant)) as connection:
            found = requests.request_of(connection, tenant_id(tenant), identifier)
        row = found.as_json(runtime.now())
    print_json(row)


@app.command()
def run(tenant: TenantOption, identifier: RequestOption, person: PersonOption, role: RoleOption) -> None:
    """Erase for good: keys, files, what is served, the words in the rows. Killed, run it again. It is audited."""
    with opened() as runtime:
        done = erase_tenant(runtime, tenant_id(tenant), identifier, person=person, role=role)
        row = done.as_json(runtime.now())
    print_json(row)

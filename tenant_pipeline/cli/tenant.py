"""`tenant register | list | show`."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from tenant_pipeline.cli.shell import JsonOption, opened, print_json, print_rows
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services import registry

app = typer.Typer(help="The tenant registry.", no_args_is_help=True)

COLUMNS = ("id", "status", "tier", "domain", "db_schema_name", "k8s_namespace", "sources", "created_at", "go_live_at")


@app.command()
def register(
    tenant: Annotated[str, typer.Argument(help="Lower-case slug; becomes role, schema and namespace.")],
    name_en: Annotated[str, typer.Option(help="Name in English.")],
    name_th: Annotated[str, typer.Option(help="Name in Thai.")],
    name_zh: Annotated[str, typer.Option(help="Name in Chinese.")],
    domain: Annotated[str, typer.Option(help="The tenant's domain, such as phuket-mice.example.")],
    tier: Annotated[str, typer.Option(help="Commercial tier, such as pilot or standard.")] = "pilot",
    pdpa_agreement: Annotated[
        str | None, typer.Option(help="Reference of the signed data-handling agreement (PDPA).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Register a tenant as a draft, with its own database login, schema and keys."""
    with opened() as runtime:
        row = registry.register_tenant(
            runtime,
            tenant_id(tenant),
            name={"en": name_en, "th": name_th, "zh": name_zh},
            domain=domain,
            tier=tier,
            actor=getpass.getuser(),
            pdpa_agreement_ref=pdpa_agreement,
        )
    print_rows("Registered", [registry.as_json(row)], COLUMNS, as_json=as_json)


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """Every tenant."""
    with opened() as runtime:
        rows = [registry.as_json(row) for row in registry.list_tenants(runtime)]
    print_rows("Tenants", rows, COLUMNS, as_json=as_json)


@app.command()
def show(tenant: Annotated[str, typer.Argument(help="The tenant's id.")], as_json: JsonOption = False) -> None:
    """One tenant, with every column of its registry row."""
    with opened() as runtime:
        row = registry.as_json(registry.show_tenant(runtime, tenant_id(tenant)))
    if as_json:
        print_json(row)
    else:
        print_rows(
            tenant, [{"field": key, "value": value} for key, value in row.items()], ("field", "value"), as_json=False
        )

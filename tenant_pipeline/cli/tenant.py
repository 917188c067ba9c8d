"""`tenant register | list | show | update | conditions | back | suspend | archive | return | history`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, ReasonOption, RoleOption
from tenant_pipeline.cli.shell import complaints, opened, operator, print_fields, print_json, print_rows
from tenant_pipeline.core.lifecycle import TenantState
from tenant_pipeline.core.rows import row_as_json
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services import lifecycle, registry
from tenant_pipeline.services.going_live.conditions import conditions_of

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
            actor=operator(),
            pdpa_agreement_ref=pdpa_agreement,
        )
    print_rows("Registered", [row_as_json(row)], COLUMNS, as_json=as_json)


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """Every tenant."""
    with opened() as runtime:
        rows = [row_as_json(row) for row in registry.list_tenants(runtime)]
    print_rows("Tenants", rows, COLUMNS, as_json=as_json)


@app.command()
def show(tenant: Annotated[str, typer.Argument(help="The tenant's id.")], as_json: JsonOption = False) -> None:
    """One tenant, with every column of its registry row."""
    with opened() as runtime:
        row = row_as_json(registry.show_tenant(runtime, tenant_id(tenant)))
    print_fields(tenant, row, as_json=as_json)


LEFT_TO = {
    "clock": "The sensor `clock` tries again every few seconds, while the daemon runs.",
    "backend": "It comes up by itself once that is over.",
    "request": "`tenant-pipeline instance request` asks for it as it is now.",
}
"""Who does what a change of state has left undone about the instance."""

TenantArgument = Annotated[str, typer.Argument(help="The tenant's id.")]
PersonOption = Annotated[str, typer.Option(help="Who you are.")]


@app.command()
def update(
    tenant: TenantArgument,
    person: PersonOption,
    name_en: Annotated[str | None, typer.Option(help="Name in English.")] = None,
    name_th: Annotated[str | None, typer.Option(help="Name in Thai.")] = None,
    name_zh: Annotated[str | None, typer.Option(help="Name in Chinese.")] = None,
    domain: Annotated[str | None, typer.Option(help="The tenant's domain.")] = None,
    tier: Annotated[str | None, typer.Option(help="Commercial tier.")] = None,
    pdpa_agreement: Annotated[str | None, typer.Option(help="Reference of the data-handling agreement.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Change what is known about a tenant. Its id, and the names made from it, never change."""
    names = {"en": name_en, "th": name_th, "zh": name_zh}
    given = {language: name for language, name in names.items() if name is not None}
    with opened() as runtime:
        row = registry.update_tenant(
            runtime,
            tenant_id(tenant),
            person=person,
            name=given or None,
            domain=domain,
            tier=tier,
            pdpa_agreement_ref=pdpa_agreement,
        )
    print_rows("Updated", [row_as_json(row)], COLUMNS, as_json=as_json)


@app.command()
def back(
    tenant: TenantArgument,
    to: Annotated[TenantState, typer.Option(help="The state to roll back to.")],
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Roll a tenant back a state."""
    _step(tenant, to, person, role, reason, as_json)


@app.command()
def suspend(
    tenant: TenantArgument, person: PersonOption, role: RoleOption, reason: ReasonOption, as_json: JsonOption = False
) -> None:
    """Take a live tenant out of service: nothing is taken in or published until it returns."""
    _step(tenant, TenantState.SUSPENDED, person, role, reason, as_json)


@app.command()
def archive(
    tenant: TenantArgument, person: PersonOption, role: RoleOption, reason: ReasonOption, as_json: JsonOption = False
) -> None:
    """Take a tenant out of service for good that is not live: suspend a live one first. What it has is kept."""
    _step(tenant, TenantState.ARCHIVED, person, role, reason, as_json)


@app.command("return")
def return_(
    tenant: TenantArgument,
    person: PersonOption,
    reason: ReasonOption = "",
    request: Annotated[bool, typer.Option("--request", help="Ask for the approvals that it takes.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take a suspended tenant live again, with the approvals given for it."""
    identifier = tenant_id(tenant)
    with opened() as runtime:
        if request:
            asked = lifecycle.request_return(runtime, identifier, requested_by=person, reason=reason)
            print_json([each.as_json() for each in asked])
            return
        changed = lifecycle.return_to_service(runtime, identifier, person=person)
    _print_changed("Returned", changed, as_json)


@app.command()
def conditions(tenant: TenantArgument, as_json: JsonOption = False) -> None:
    """What going to pilot (isolation-tested) and live (all of it) takes beside approvals, and what is missing."""
    identifier = tenant_id(tenant)
    with opened() as runtime:
        registry.show_tenant(runtime, identifier)
        with runtime.database.platform() as connection:
            found = conditions_of(runtime, connection, identifier)
    rows = [
        {"condition": str(each.condition), "met": not each.why_not, "why not": "; ".join(each.why_not)}
        for each in found
    ]
    print_rows(f"Conditions of {tenant}", rows, ("condition", "met", "why not"), as_json=as_json)


@app.command()
def history(tenant: TenantArgument, as_json: JsonOption = False) -> None:
    """Every change of state, with who made it and the approvals it rests on."""
    with opened() as runtime:
        rows = [row_as_json(row) for row in lifecycle.transitions_of(runtime, tenant_id(tenant))]
    print_rows(
        f"States of {tenant}", rows, ("at", "from_state", "to_state", "rolls_back", "person", "reason"), as_json=as_json
    )


def _step(tenant: str, to: TenantState, person: str, role: str, reason: str, as_json: bool) -> None:
    with opened() as runtime:
        changed = lifecycle.step_back(runtime, tenant_id(tenant), to, person=person, role=role, reason=reason)
    _print_changed("Moved", changed, as_json)


def _print_changed(title: str, changed: lifecycle.StateChanged, as_json: bool) -> None:
    left = changed.instance_left
    row = {**row_as_json(changed.tenant), "instance_left": left and asdict(left)}
    print_rows(title, [row], COLUMNS, as_json=as_json)
    if left is not None:
        told = f"Its instance is not as the state has it: {left.why}. {LEFT_TO[left.to]}"
        complaints.print(told, highlight=False, markup=False)

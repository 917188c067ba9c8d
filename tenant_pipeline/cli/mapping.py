"""`mapping propose | diff | accept | retire | list`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tenant_pipeline.cli.options import JsonOption, PersonOption, TenantOption
from tenant_pipeline.cli.shell import console, opened, print_json, print_row, print_rows
from tenant_pipeline.core.tenancy import source_id, tenant_id
from tenant_pipeline.services import mappings
from tenant_pipeline.services.mapping_definitions import read_definition

app = typer.Typer(help="Mappings for tables that nobody declared one for.", no_args_is_help=True)

SourceOption = Annotated[str, typer.Option("--source", help="The source's id.")]
MaybeSourceOption = Annotated[str | None, typer.Option("--source", help="The source whose proposal is meant.")]
TableOption = Annotated[str | None, typer.Option("--table", help="Only this table, as `propose` names it.")]
DefinitionOption = Annotated[
    Path | None, typer.Option("--definition", help="A file with a definition, instead of what is proposed.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why it is right.")]

FIELDS = ("field", "property", "lang", "confidence", "reasons", "alternatives")
CHANGES = ("property", "added", "removed", "changed", "unchanged", "records", "samples")
VERSIONS = ("mapping", "version", "state", "type", "accepted_by", "reason", "accepted_at", "retired_by")


@app.command()
def propose(tenant: TenantOption, source: SourceOption, table: TableOption = None, as_json: JsonOption = False) -> None:
    """What each table that no mapping knows may mean, field by field, how surely and why. Changes nothing."""
    with opened() as runtime:
        found = [
            each.as_json() for each in mappings.propose(runtime, tenant_id(tenant), source_id(source), table=table)
        ]
    if as_json:
        print_json(found)
        return
    if not found:
        console.print("Every table of the source is known by a declared or accepted mapping.")
    for each in found:
        title = f"Table {each['table']} {each['name']} ({each['rows']} rows): {each['type']}, {each['type_reason']}"
        print_rows(title, each["fields"], FIELDS, as_json=False)
        for conflict in each["conflicts"]:
            given_up = ", ".join(conflict["given_up"])
            console.print(
                f"  {conflict['property']}: {conflict['kept']} over {given_up}, {conflict['reason']}", markup=False
            )


@app.command()
def diff(
    tenant: TenantOption,
    source: SourceOption,
    table: TableOption = None,
    definition: DefinitionOption = None,
    as_json: JsonOption = False,
) -> None:
    """What would change if the proposal, or the definition, were accepted: counts and places, never values."""
    with opened() as runtime:
        changes = mappings.diff(
            runtime, tenant_id(tenant), source_id(source), table=table, definition=_given(definition)
        )
    found = [change.as_json() for change in changes]
    if as_json:
        print_json(found)
        return
    if not any(each["changes"] for each in found):
        console.print("Nothing would change.")
    for each in found:
        title = (
            f"Table {each['table']}: {each['mapping']['before']} -> {each['mapping']['after']},"
            f" {each['type']['before']} -> {each['type']['after']},"
            f" {each['records_affected']} of {each['records']} records"
        )
        rows = [{"property": name, **change} for name, change in each["properties"].items()]
        print_rows(title, rows, CHANGES, as_json=False)


@app.command()
def accept(
    tenant: TenantOption,
    person: PersonOption,
    reason: ReasonOption,
    source: MaybeSourceOption = None,
    table: TableOption = None,
    definition: DefinitionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept what is proposed for a table, or a definition, as the next version of its mapping. It is audited."""
    with opened() as runtime:
        decision = mappings.accept(
            runtime,
            tenant_id(tenant),
            person=person,
            reason=reason,
            definition=_given(definition),
            source_id=source_id(source) if source else None,
            table=table,
        )
    _print_decision("Accepted", decision, as_json=as_json)


@app.command()
def retire(
    tenant: TenantOption,
    mapping: Annotated[str, typer.Option("--mapping", help="The mapping's id.")],
    person: PersonOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """End a mapping: its tables are mapped as if it had never been accepted. It is audited."""
    with opened() as runtime:
        decision = mappings.retire(runtime, tenant_id(tenant), mapping, person=person, reason=reason)
    _print_decision("Retired", decision, as_json=as_json)


@app.command("list")
def list_(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Every version that the tenant has accepted, the latest first."""
    with opened() as runtime:
        found = mappings.list_mappings(runtime, tenant_id(tenant))
    print_rows(f"Mappings of {tenant}", [each.as_json() for each in found], VERSIONS, as_json=as_json)


def _given(definition: Path | None) -> Any:
    return read_definition(definition) if definition is not None else None


def _print_decision(title: str, decision: mappings.Decision, *, as_json: bool) -> None:
    title = f"{title} before, nothing changed" if decision.repeated else title
    print_row(title, decision.as_json(), VERSIONS, as_json=as_json)
    if not as_json:
        console.print(f"{len(decision.sources)} sources are put in line to be mapped again.")

"""`quarantine list | release`."""

from __future__ import annotations

from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, PersonOption, RoleOption, TenantOption
from tenant_pipeline.cli.shell import opened, print_row, print_rows
from tenant_pipeline.core.tenancy import source_id, tenant_id
from tenant_pipeline.services import quarantine

app = typer.Typer(help="What was refused of a source, and what is let in all the same.", no_args_is_help=True)

COLUMNS = ("stage", "path", "locator", "code", "reason", "state", "releasable", "released_by")

SourceOption = Annotated[str, typer.Option("--source", help="The source's id.")]


@app.command("list")
def list_(tenant: TenantOption, source: SourceOption, as_json: JsonOption = False) -> None:
    """Every file, member and object that was refused, with the reason and whether a person may release it."""
    with opened() as runtime:
        found = quarantine.list_quarantined(runtime, tenant_id(tenant), source_id(source))
    print_rows(f"Refused of {source}", [item.as_json() for item in found], COLUMNS, as_json=as_json)


@app.command()
def release(
    tenant: TenantOption,
    source: SourceOption,
    locator: Annotated[str, typer.Option(help="Where it lies, as `quarantine list` tells.")],
    person: PersonOption,
    role: RoleOption,
    reason: Annotated[str, typer.Option(help="Why it is safe.")],
    digest: Annotated[
        str | None, typer.Option(help="What was looked at, as `quarantine list --json` tells: it and nothing else.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Let a refused item in on a named person's word, and put its source in line again. It is audited."""
    with opened() as runtime:
        item = quarantine.release(
            runtime,
            tenant_id(tenant),
            source_id(source),
            locator,
            person=person,
            role=role,
            reason=reason,
            digest=digest,
        )
    print_row("Released", item.as_json(), COLUMNS, as_json=as_json)

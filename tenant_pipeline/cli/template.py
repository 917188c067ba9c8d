"""`template list | show | publish | diff | plan | upgrade`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, TenantOption
from tenant_pipeline.cli.shell import console, opened, operator, print_json, print_rows
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.template.change import changes_between
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services.templates import publishing, upgrading

app = typer.Typer(help="What a tenant's knowledge base has to look like.", no_args_is_help=True)

VersionArgument = Annotated[str, typer.Argument(help="A published version, such as 1.2.0.")]
ToOption = Annotated[str, typer.Option("--to", help="The later version.")]

CHANGE_COLUMNS = ("type", "property", "change", "weight")


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """Every published version, and how many tenants are pinned to it."""
    with opened() as runtime:
        rows = publishing.list_templates(runtime)
    print_rows("Templates", rows, ("version", "digest", "tenants"), as_json=as_json)


@app.command()
def show(version: VersionArgument) -> None:
    """What a version asks for."""
    with opened() as runtime, runtime.database.platform() as connection:
        print_json(publishing.template_of_version(runtime, connection, version).as_json())


@app.command()
def publish(file: Annotated[Path, typer.Argument(help="The template, as `template show` prints one.")]) -> None:
    """Publish a version, once and for all. Its number has to be as high as its changes ask for."""
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"The template cannot be read ({type(error).__name__})", where=str(file)) from None
    with opened() as runtime:
        template = publishing.publish_template(runtime, given, published_by=operator(), where=str(file))
    console.print(f"{template.version} {template.digest()}", highlight=False)


@app.command()
def diff(before: VersionArgument, after: VersionArgument, as_json: JsonOption = False) -> None:
    """What changed between two versions, and what each change weighs."""
    with opened() as runtime, runtime.database.platform() as connection:
        old, new = (publishing.template_of_version(runtime, connection, each) for each in (before, after))
    rows = [each.as_json() for each in changes_between(old, new)]
    print_rows(f"From {old.version} to {new.version}", rows, CHANGE_COLUMNS, as_json=as_json)


@app.command()
def plan(tenant: TenantOption, to: ToOption, as_json: JsonOption = False) -> None:
    """What upgrading the tenant would mean, and the digest to upgrade by. Nothing is changed."""
    with opened() as runtime:
        planned = upgrading.plan_upgrade(runtime, tenant_id(tenant), to)
    found = planned.as_json()
    if as_json:
        print_json({**found, "digest": planned.digest()})
        return
    print_rows(f"{tenant}: from {found['from']} to {found['to']}", found["changes"], CHANGE_COLUMNS, as_json=False)
    print_rows(
        f"{planned.lacking_in_all} entities lack something", found["lacking"], ("id", "type", "lacks"), as_json=False
    )
    told = f"Left out: {found['left_out'] or 'nothing'}\nTo upgrade: --plan {planned.digest()}"
    console.print(told, highlight=False, markup=False)


@app.command()
def upgrade(
    tenant: TenantOption,
    to: ToOption,
    plan: Annotated[str, typer.Option(help="The digest that `template plan` showed.")],
    person: Annotated[str, typer.Option(help="Who you are.")],
    role: Annotated[str, typer.Option(help="In which role: tenant-admin, platform-governance or founder.")],
) -> None:
    """Pin the tenant to a later version, for exactly the plan that was looked at. Audited."""
    with opened() as runtime:
        done = upgrading.upgrade(runtime, tenant_id(tenant), to, plan=plan, person=person, role=role)
    console.print(f"{tenant} is at {done.after.version}.", highlight=False)

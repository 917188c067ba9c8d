"""`privacy show | declare | sign | revoke | rotate-key | destroy-key | find`."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, PersonOption, RoleOption, TenantOption
from tenant_pipeline.cli.shell import moment, opened, print_json, print_row, print_rows
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.tenancy import source_id, tenant_id
from tenant_pipeline.pii.declarations import DeclaredClass
from tenant_pipeline.pii.policy import Action
from tenant_pipeline.pii.special_categories import SpecialCategory
from tenant_pipeline.services import digest_keys, privacy_declarations

app = typer.Typer(help="Declarations on personal data, and the keys it is digested with.", no_args_is_help=True)

DECLARATION_COLUMNS = (
    "id",
    "class",
    "state",
    "source",
    "origin",
    "table",
    "field",
    "property",
    "entity_types",
    "action",
    "category",
    "requested_by",
    "signed_by",
    "expires_at",
)
KEY_COLUMNS = ("version", "key_id", "in_use")

TenantArgument = Annotated[str, typer.Argument(help="The tenant's id.")]
DeclarationOption = Annotated[str, typer.Option("--declaration", help="The declaration's id.")]
ReasonOption = Annotated[str, typer.Option(help="Why it is right.")]


@app.command()
def show(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Every declaration with its state, and the digest keys that are kept."""
    with opened() as runtime:
        declared = privacy_declarations.list_declarations(runtime, tenant_id(tenant))
        rows = [each.as_json(runtime.now()) for each in declared]
        keys = [key.as_json() for key in digest_keys.list_keys(runtime, tenant_id(tenant))]
    if as_json:
        print_json({"declarations": rows, "digest_keys": keys})
    else:
        print_rows(f"Declarations of {tenant}", rows, DECLARATION_COLUMNS, as_json=False)
        print_rows("Digest keys", keys, KEY_COLUMNS, as_json=False)


@app.command()
def declare(
    tenant: TenantOption,
    declared: Annotated[DeclaredClass, typer.Option("--class", help="What is declared.")],
    person: PersonOption,
    reason: ReasonOption,
    source: Annotated[str | None, typer.Option(help="Of this source.")] = None,
    origin: Annotated[Origin | None, typer.Option(help="Of every source of this origin.")] = None,
    table: Annotated[str, typer.Option(help="Only in the table of this name.")] = "",
    field: Annotated[str, typer.Option(help="The field's name.")] = "",
    property_: Annotated[str, typer.Option("--property", help="Or the property that the field is mapped to.")] = "",
    types: Annotated[list[str] | None, typer.Option("--type", help="Entity types, such as PHONE_NUMBER.")] = None,
    action: Annotated[Action | None, typer.Option(help="What becomes of them.")] = None,
    category: Annotated[SpecialCategory | None, typer.Option(help="The special category it holds.")] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Until when; in UTC where no zone is said.", parser=moment)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Declare what a field holds. What makes the policy stricter holds at once; anything else has to be signed."""
    with opened() as runtime:
        made = privacy_declarations.declare(
            runtime,
            tenant_id(tenant),
            declared,
            person=person,
            reason=reason,
            source=source_id(source) if source else None,
            origin=origin,
            table=table,
            field=field,
            property_=property_,
            entity_types=tuple(types or ()),
            action=action,
            category=category,
            expires_at=until,
        )
        row = made.as_json(runtime.now())
    print_row("Declared", row, DECLARATION_COLUMNS, as_json=as_json)


@app.command()
def sign(
    tenant: TenantOption,
    declaration: DeclarationOption,
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Sign a declaration that somebody else asked for: it is in force from then on. It is audited."""
    with opened() as runtime:
        signed = privacy_declarations.sign(
            runtime, tenant_id(tenant), declaration, person=person, role=role, reason=reason
        )
        row = signed.as_json(runtime.now())
    print_row("Signed", row, DECLARATION_COLUMNS, as_json=as_json)


@app.command()
def revoke(
    tenant: TenantOption,
    declaration: DeclarationOption,
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """End a declaration for good; its sources are screened anew without it. It is audited."""
    with opened() as runtime:
        revoked = privacy_declarations.revoke(
            runtime, tenant_id(tenant), declaration, person=person, role=role, reason=reason
        )
        row = revoked.as_json(runtime.now())
    print_row("Revoked", row, DECLARATION_COLUMNS, as_json=as_json)


@app.command("rotate-key")
def rotate_key(
    tenant: TenantArgument, person: PersonOption, role: RoleOption, reason: ReasonOption, as_json: JsonOption = False
) -> None:
    """Give a tenant a new digest key and put its sources in line. Killed in the middle, run it again. It is audited."""
    with opened() as runtime:
        key = digest_keys.rotate(runtime, tenant_id(tenant), person=person, role=role, reason=reason)
    print_rows("Rotated", [key.as_json()], KEY_COLUMNS, as_json=as_json)


@app.command("destroy-key")
def destroy_key(
    tenant: TenantArgument,
    version: Annotated[int, typer.Argument(help="The version, as `privacy show` tells.")],
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Destroy an old digest key for good: its pseudonyms can never again be matched with a value. It is audited."""
    with opened() as runtime:
        digest_keys.destroy(runtime, tenant_id(tenant), version, person=person, role=role, reason=reason)
        keys = [key.as_json() for key in digest_keys.list_keys(runtime, tenant_id(tenant))]
    print_rows("Digest keys", keys, KEY_COLUMNS, as_json=as_json)


@app.command()
def find(
    tenant: TenantOption,
    entity_type: Annotated[str, typer.Option("--type", help="Its entity type, such as PHONE_NUMBER.")],
    person: PersonOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """The pseudonyms of a value, one for each key that is kept. It is read from standard input. It is audited."""
    with opened() as runtime:
        found = digest_keys.pseudonyms_of(
            runtime, tenant_id(tenant), entity_type, sys.stdin.read().strip(), person=person, reason=reason
        )
    rows = [{"key_id": key, "pseudonym": pseudonym} for key, pseudonym in found.items()]
    print_rows("Pseudonyms", rows, ("key_id", "pseudonym"), as_json=as_json)

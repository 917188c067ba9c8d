"""`conflict list | show | resolve | resolve-all | reopen | values | draw | across`, and `conflicts`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from tenant_pipeline.cli.conflict_table import print_form, print_matrix
from tenant_pipeline.cli.options import JsonOption, LanguageOption, PersonOption, RoleOption, TenantOption
from tenant_pipeline.cli.shell import console, opened, print_json, print_rows, telling
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import source_id, tenant_id
from tenant_pipeline.services import registry
from tenant_pipeline.services.conflicts import bulk_signing, cross_tenant, drawing, reading, resolution_form, signing
from tenant_pipeline.services.conflicts.authority import Signer
from tenant_pipeline.services.conflicts.reading import Filter
from tenant_pipeline.services.conflicts.resolved_values import resolved_values
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.conflicts.signing import Choice

app = typer.Typer(help="Where sources differ: seen, decided, reopened, drawn.", no_args_is_help=True)

SourceOption = Annotated[str | None, typer.Option("--source", help="Only this source.")]
PropertyOption = Annotated[str | None, typer.Option("--property", help="Only this property.")]
TypeOption = Annotated[str | None, typer.Option("--type", help="Only entities of this type.")]
VerdictOption = Annotated[str | None, typer.Option(help="same, refines, differs or incomparable.")]
StatusOption = Annotated[str | None, typer.Option(help="open, explained, signed or stale.")]
NeedsPersonOption = Annotated[bool | None, typer.Option("--needs-person/--decided-by-rule", help="Who is to decide.")]
LimitOption = Annotated[int, typer.Option(min=1, max=reading.MOST_ROWS, help="At most so many rows.")]
ConflictArgument = Annotated[str, typer.Argument(help="The item's id, as `conflict list` gives it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why it is right.")]

COLUMNS = (
    "conflict_id", "label", "property", "lang", "verdict", "rule", "values", "proposed_value", "proposed_rule",
    "needs_person", "status",
)  # fmt: skip


def conflicts(
    tenant: TenantOption,
    source: SourceOption = None,
    property_: PropertyOption = None,
    verdict: VerdictOption = None,
    limit: LimitOption = 1000,
    as_json: JsonOption = False,
) -> None:
    """The conflict matrix: where sources say different things, by which rule, and what the authority rules propose."""
    with opened() as runtime:
        registry.show_tenant(runtime, tenant_id(tenant))
        rows = reading.list_conflicts(
            runtime,
            tenant_id(tenant),
            source=source_id(source) if source else None,
            property_=property_,
            verdict=verdict,
            limit=limit,
        )
    print_rows(f"Conflicts of {tenant}", rows, ("canonical_id", *COLUMNS[2:]), as_json=as_json)


@app.command("list")
def list_(
    tenant: TenantOption,
    source: SourceOption = None,
    type_: TypeOption = None,
    property_: PropertyOption = None,
    verdict: VerdictOption = None,
    status: StatusOption = None,
    needs_person: NeedsPersonOption = None,
    limit: LimitOption = 100,
    after: Annotated[str | None, typer.Option(help="Go on after this: the `next` of the page before.")] = None,
    as_json: JsonOption = False,
) -> None:
    """One page of the matrix, those for a person first; as JSON with a cell for each source."""
    wanted = Filter(source_id(source) if source else None, type_, property_, verdict, status, needs_person)
    with opened() as runtime:
        registry.show_tenant(runtime, tenant_id(tenant))
        page = reading.page_of_matrix(runtime, tenant_id(tenant), wanted, limit=limit, after=after)
    if as_json:
        print_json({"items": page.items, "next": page.next})
        return
    print_rows(f"Conflicts of {tenant}", reading.with_values(page.items), COLUMNS, as_json=False)
    if page.next:
        console.print(f"There are more: --after {page.next}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def show(
    tenant: TenantOption, conflict: ConflictArgument, language: LanguageOption = "en", as_json: JsonOption = False
) -> None:
    """All that it takes to decide an item: candidates with their sources, the proposal and why, choices, history."""
    with opened() as runtime:
        form = resolution_form.resolution_form(runtime, tenant_id(tenant), conflict, telling(runtime, language))
    if as_json:
        print_json(form)
    else:
        print_form(form)


@app.command()
def resolve(
    tenant: TenantOption,
    conflict: ConflictArgument,
    digest: Annotated[str, typer.Option(help="The digest that `conflict show` gave: what you have looked at.")],
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    take: Annotated[int | None, typer.Option(help="Take what this candidate says, by its number.")] = None,
    value: Annotated[str | None, typer.Option(help="Enter another value.")] = None,
    both_right: Annotated[bool, typer.Option("--both-right", help="All of them are right.")] = False,
    link_wrong: Annotated[bool, typer.Option("--link-wrong", help="They speak of different things.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Sign an item, for the candidates that were looked at and no others."""
    choices = [
        *([Choice(Decision.CANDIDATE, take)] if take is not None else []),
        *([Choice(Decision.HUMAN_PIN, value=value)] if value is not None else []),
        *([Choice(Decision.BOTH_RIGHT)] if both_right else []),
        *([Choice(Decision.LINK_WRONG)] if link_wrong else []),
    ]
    if len(choices) != 1:
        raise InputError("A decision is one of the choices", where="--take, --value, --both-right or --link-wrong")
    signer = Signer(person, role, reason)
    with opened() as runtime:
        item = signing.resolve(runtime, tenant_id(tenant), conflict, digest=digest, choice=choices[0], signer=signer)
    _print_item(item, as_json)


@app.command("resolve-all")
def resolve_all(
    tenant: TenantOption,
    rule: Annotated[str, typer.Option("--rule", help="The rule that proposed: only its proposals.")],
    verdict: Annotated[str, typer.Option(help="same, refines, differs or incomparable.")] = "differs",
    digest: Annotated[str | None, typer.Option(help="The digest of the list; without it the list is shown.")] = None,
    person: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    role: Annotated[str, typer.Option(help="In which role.")] = "",
    reason: Annotated[str, typer.Option(help="Why it is right.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Sign all proposals of one rule that need no person of their own: shown first, then signed by their digest."""
    identifier = tenant_id(tenant)
    with opened() as runtime:
        if digest is None:
            listed = bulk_signing.preview(runtime, identifier, proposed_rule=rule, verdict=verdict)
            if as_json:
                print_json(listed)
                return
            columns = ("conflict_id", "canonical_id", "property", "lang", "proposed_value", "source_id")
            print_rows(f"Proposed by {rule}", listed["items"], columns, as_json=False)
            counted = f"{len(listed['items']):,} of the rule's {listed['matching']:,} items"
            console.print(f"Digest of the list: {listed['digest']} ({counted})", highlight=False, markup=False)
            return
        signer = Signer(person, role, reason)
        done = bulk_signing.sign_list(
            runtime, identifier, proposed_rule=rule, verdict=verdict, digest=digest, signer=signer
        )
    if as_json:
        print_json({"signed": done.signed, "left": done.left, "digest": digest})
    else:
        console.print(f"Signed {done.signed:,} items. {done.left:,} of the rule's are left.", highlight=False)


@app.command()
def reopen(
    tenant: TenantOption,
    conflict: ConflictArgument,
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Make a signature void. It stays as history, and somebody else decides anew."""
    with opened() as runtime:
        item = signing.reopen(runtime, tenant_id(tenant), conflict, signer=Signer(person, role, reason))
    _print_item(item, as_json)


@app.command()
def values(
    tenant: TenantOption,
    entity: Annotated[str | None, typer.Option(help="Only this canonical entity.")] = None,
    limit: LimitOption = 1000,
    as_json: JsonOption = False,
) -> None:
    """The resolved value of each disputed property: signed, or what the rules propose."""
    with opened() as runtime:
        registry.show_tenant(runtime, tenant_id(tenant))
        rows = resolved_values(runtime, tenant_id(tenant), canonical_id=entity, limit=limit)
    columns = ("canonical_id", "property", "lang", "value", "decision", "signed", "person", "source_id")
    print_rows(f"Resolved values of {tenant}", rows, columns, as_json=as_json)


@app.command()
def draw(
    tenant: TenantOption,
    output: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
    source: SourceOption = None,
    type_: TypeOption = None,
    property_: PropertyOption = None,
    items: Annotated[int, typer.Option(min=0, max=drawing.MOST_DRAWN, help="Draw so many items in full.")] = 200,
) -> None:
    """Draw the matrix in the terminal, and with --output as one HTML page that needs nothing else."""
    wanted = Filter(source=source_id(source) if source else None, type=type_, property=property_)
    with opened() as runtime:
        registry.show_tenant(runtime, tenant_id(tenant))
        print_matrix(runtime, tenant_id(tenant), wanted)
        if output is not None:
            page = drawing.draw_matrix(runtime, tenant_id(tenant), wanted, items=items)
            try:
                output.write_text(page, encoding="utf-8")
            except OSError as error:
                raise InputError(
                    f"The page cannot be written: {error.strerror}", where="--output", remedy="Name another file."
                ) from None
            console.print(f"Drawn: {output}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def across(
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    limit: Annotated[int, typer.Option(min=1, max=cross_tenant.MOST_PLACES, help="Read so many shared places.")] = 100,
    after: Annotated[
        tuple[str, str, str] | None, typer.Option(help="Go on after this: the `next` of the answer before.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What tenants say differently of the same place. For platform governance; every tenant's audit log says so."""
    with opened() as runtime:
        found = cross_tenant.conflicts_across_tenants(
            runtime, reader=Signer(person, role, reason), limit=limit, after=after
        )
    if as_json:
        print_json({"places": found.places, "next": found.next})
        return
    rows = [
        {"place": " ".join(place["place"]), "agreeing": place["agreeing"], "tenant": tenant, **conflict, **branch}
        for place in found.places
        for conflict in place["conflicts"]
        for tenant, branch in conflict["branches"].items()
    ]
    columns = ("place", "property", "lang", "rule", "tenant", "values", "standing", "agreeing")
    print_rows("Conflicts across tenants", rows, columns, as_json=False)
    if found.next:
        last = shlex.join(found.next)
        console.print(f"There are more: --after {last}", highlight=False, markup=False, soft_wrap=True)


def _print_item(item: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(item)
        return
    last = item["signatures"][-1]
    row = {**item, **last}
    print_rows("Decided", [row], ("conflict_id", "property", "status", "decision", "value", "person"), as_json=False)

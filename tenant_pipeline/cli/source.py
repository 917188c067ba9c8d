"""`source add | list | show | change | withdraw | cited`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, TenantOption
from tenant_pipeline.cli.shell import complaints, moment, opened, operator, print_json, print_row, print_rows
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.tenancy import source_id, tenant_id
from tenant_pipeline.services import citations, sources
from tenant_pipeline.services.source_changes import change_source

app = typer.Typer(help="The sources of a tenant.", no_args_is_help=True)

SourceOption = Annotated[str, typer.Option("--source", help="The source's id.")]
ObservedOption = Annotated[
    datetime | None, typer.Option(help="As of when its facts hold; in UTC where no zone is said.", parser=moment)
]

CHANGED = ("id", "title", "rights", "observed_at", "ingest_status")
COLUMNS = ("id", "origin", "unit_mode", "title", "ingest_stage", "ingest_status", "coverage_score", "conflicts_count")


@app.command()
def add(
    places: Annotated[
        list[str], typer.Argument(metavar="PATH_OR_URL...", help="A file, a folder, a bundle, or a URL.")
    ],
    tenant: TenantOption,
    origin: Annotated[Origin, typer.Option(help="Where the source comes from.")],
    unit_mode: Annotated[UnitMode, typer.Option(help="How it is handed in.")],
    title: Annotated[
        str | None, typer.Option(help="What people call it, without personal data; the origin and mode if not given.")
    ] = None,
    rights: Annotated[str, typer.Option(help="Under what licence or agreement it may be used.")] = "",
    observed_at: ObservedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in a source: copied once into the tenant's encrypted raw zone, then put in line for the nine stages."""
    with opened() as runtime:
        source = sources.add_source(
            runtime,
            tenant_id(tenant),
            origin=origin,
            unit_mode=unit_mode,
            places=places,
            title=title or f"{origin} {unit_mode}",
            actor=operator(),
            rights=rights,
            observed_at=observed_at,
        )
    print_row("Added", source.as_json(), COLUMNS, as_json=as_json)
    mend = f"`tenant-pipeline source change --tenant {tenant} --source {source.id} --rights …`"
    if rights and source.rights != rights:
        complaints.print(f"It was here already, with other rights, and stays as it was: {mend}.", highlight=False)
    elif not source.rights.strip():
        complaints.print(f"No rights are declared: the tenant cannot go live until they are: {mend}.", highlight=False)


@app.command("list")
def list_(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """The tenant's sources, how far each has come, and what it scores."""
    with opened() as runtime:
        rows = [source.as_json() for source in sources.list_sources(runtime, tenant_id(tenant))]
    print_rows(f"Sources of {tenant}", rows, COLUMNS, as_json=as_json)


@app.command()
def show(tenant: TenantOption, source: SourceOption, as_json: JsonOption = False) -> None:
    """All that is known of one source: its file's name or its address, its rights, as of when its facts hold."""
    with opened() as runtime, runtime.database.tenant(tenant_id(tenant)) as connection:
        found = sources.get_source(connection, tenant_id(tenant), source_id(source)).as_json()
    if as_json:
        print_json(found)
    else:
        print_rows(
            found["title"], [{"": name, "value": value} for name, value in found.items()], ("", "value"), as_json=False
        )


@app.command()
def change(
    tenant: TenantOption,
    source: SourceOption,
    title: Annotated[str | None, typer.Option(help="What people call it, without personal data.")] = None,
    rights: Annotated[str | None, typer.Option(help="Under what licence or agreement it may be used.")] = None,
    observed_at: ObservedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put right what was said of a source when it was handed in; all else stays as it is.

    With other rights or another date it is in line again, to be judged anew: no stage does anything twice.
    """
    given = {
        "title": title, "rights": rights, "observed_at": observed_at,
    }  # fmt: skip
    changes = {name: value for name, value in given.items() if value is not None}
    with opened() as runtime:
        changed = change_source(runtime, tenant_id(tenant), source_id(source), changes, actor=operator()).as_json()
    print_row("Changed", changed, CHANGED, as_json=as_json)


@app.command()
def withdraw(
    tenant: TenantOption,
    source: SourceOption,
    reason: Annotated[str, typer.Option(help="Why it ought not to be there.")],
    as_json: JsonOption = False,
) -> None:
    """Take a source out, for good: what it said is retired, a feed of it ends. What is published stays as it is."""
    with opened() as runtime:
        # Loaded where it is used: it brings in what compares sources.
        from tenant_pipeline.services.withdrawals import withdraw_source

        withdrawn = withdraw_source(
            runtime, tenant_id(tenant), source_id(source), person=operator(), role="", reason=reason
        ).as_json()
    print_row("Withdrawn", withdrawn, COLUMNS, as_json=as_json)


@app.command()
def cited(
    tenant: TenantOption,
    source: Annotated[str, typer.Option("--source", help="The source that cites, such as an AI export.")],
    add: Annotated[bool, typer.Option("--add", help="Hand in each address as a link source.")] = False,
    origin: Annotated[Origin, typer.Option(help="With --add: where they come from.")] = Origin.PRESS,
    rights: Annotated[str, typer.Option(help="With --add: under what licence or agreement they may be used.")] = "",
    as_json: JsonOption = False,
) -> None:
    """The addresses that a source cites, how often and where; with --add each becomes a source of its own."""
    with opened() as runtime:
        identifier = tenant_id(tenant)
        found = citations.cited_urls(runtime, identifier, source_id(source))
        rows = [each.as_json() for each in found.urls]
        columns: tuple[str, ...] = ("url", "times", "locators")
        if add:
            actor = operator()
            outcomes = citations.add_cited(runtime, identifier, found, origin=origin, actor=actor, rights=rights)
            rows = [{**row, **asdict(outcome)} for row, outcome in zip(rows, outcomes, strict=True)]
            columns = ("url", "times", "outcome", "source_id", "reason")
    print_rows(f"Cited by {source}", rows, columns, as_json=as_json)
    for code, count in sorted(found.left_out.items()):
        complaints.print(f"{count} citations are left out: {code}.", highlight=False)

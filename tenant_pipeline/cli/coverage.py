"""`coverage show | explain | override | withdraw | draw`, and `explain`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown

from tenant_pipeline.cli.options import JsonOption, LanguageOption, PersonOption, TenantOption
from tenant_pipeline.cli.shell import console, moment, opened, print_json, print_rows, telling
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.core.tenancy import source_id, tenant_id
from tenant_pipeline.services import registry
from tenant_pipeline.services.coverage import overrides, reading
from tenant_pipeline.services.coverage.drawing import draw_coverage
from tenant_pipeline.services.explanations import Check, explanation_of_coverage
from tenant_pipeline.services.explanations import explain as explained

app = typer.Typer(help="How well a tenant or a source covers what the contract asks for.", no_args_is_help=True)

SourceOption = Annotated[str | None, typer.Option(help="Only this source.")]
DimensionOption = Annotated[str, typer.Option(help="A dimension of the contract, such as completeness.")]
RoleOption = Annotated[str, typer.Option(help="In which role: platform-governance or founder.")]
ReasonOption = Annotated[str, typer.Option(help="Why it is right.")]

COLUMNS = ("dimension", "counts_as", "score", "blocking", "explanation")


@app.command()
def show(
    tenant: TenantOption, source: SourceOption = None, language: LanguageOption = "en", as_json: JsonOption = False
) -> None:
    """Score, band and what it counts as, per dimension, with the reason; and whether the tenant is green."""
    with opened() as runtime:
        tell = telling(runtime, language)
        registry.show_tenant(runtime, tenant_id(tenant))
        found = reading.read_coverage(runtime, tenant_id(tenant), source_id(source) if source else None)
        verdict = None if source else reading.verdict_of_tenant(runtime, tenant_id(tenant))
    print_rows(f"Coverage of {source or tenant}", [each.as_json(tell) for each in found], COLUMNS, as_json=as_json)
    if verdict is not None and not as_json:
        green = "[green]green[/]: going live is not held up" if verdict.green else "[red]not green[/]"
        console.print(f"The tenant is {green}.")
        for reason in verdict.reasons:
            console.print(f"  {tell(reason)}", markup=False, highlight=False)


@app.command()
def explain(
    tenant: TenantOption,
    source: SourceOption = None,
    dimension: Annotated[str | None, typer.Option(help="Only this dimension.")] = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """What each dimension lacks, by type and property, and the entities that would lift it most."""
    with opened() as runtime:
        tell = telling(runtime, language)
        registry.show_tenant(runtime, tenant_id(tenant))
        read = reading.explain_coverage(runtime, tenant_id(tenant), source_id(source) if source else None)
    chosen = [pair for pair in read if dimension in (None, pair[0].dimension.id)]
    if not chosen:
        raise InputError("Nothing was scored there", where="--dimension, --source", remedy="`coverage show` lists it.")
    if as_json:
        print_json([{**each.as_json(tell), **lacks.as_json(tell)} for each, lacks in chosen])
        return
    title = say("Coverage of {subject}", subject=source or tenant)
    found = explanation_of_coverage(title, tenant_id(tenant), chosen, tell)
    console.print(Markdown(found.as_markdown(tell)))


@app.command()
def override(
    tenant: TenantOption,
    dimension: DimensionOption,
    floor: Annotated[Band, typer.Option(help="What it counts as at least: warn or pass.")],
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    requested_by: Annotated[str, typer.Option(help="Who asked for it; never the same person.")],
    until: Annotated[datetime, typer.Option(help="Until when; in UTC where no zone is said.", parser=moment)],
) -> None:
    """Let a dimension count as better than it is until a time, on a named person's word. Audited; it expires."""
    with opened() as runtime:
        given = overrides.give_override(
            runtime,
            tenant_id(tenant),
            dimension,
            floor=floor,
            reason=reason,
            approver=person,
            role=role,
            requested_by=requested_by,
            expires_at=until,
        )
    console.print(f"{given.dimension} counts as {given.floor} until {given.expires_at:%Y-%m-%d %H:%M} UTC.")


@app.command()
def withdraw(
    tenant: TenantOption, dimension: DimensionOption, person: PersonOption, role: RoleOption, reason: ReasonOption
) -> None:
    """End an override before its time. Audited."""
    with opened() as runtime:
        overrides.withdraw_override(runtime, tenant_id(tenant), dimension, reason=reason, person=person, role=role)


@app.command()
def draw(
    tenant: TenantOption,
    output: Annotated[Path, typer.Option(help="The page to write.")],
    language: Annotated[str, typer.Option(help="th, en or zh.")] = "en",
) -> None:
    """Draw a meter for each dimension of the tenant and of its sources: one page that needs nothing else."""
    with opened() as runtime:
        page = draw_coverage(runtime, tenant_id(tenant), language)
    try:
        output.write_text(page, encoding="utf-8")
    except OSError:
        raise InputError("The page cannot be written", where=str(output), remedy="Choose another place.") from None
    console.print(f"Drawn: {output}", highlight=False, markup=False)


def explain_check(
    tenant: TenantOption,
    source: Annotated[str, typer.Option(help="The source's id.")],
    check: Annotated[Check, typer.Argument(help="The check, as Dagster names it.")],
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Why a check of a source says what it says: the figures, the worst of it, and what can be done."""
    with opened() as runtime:
        tell = telling(runtime, language)
        found = explained(runtime, tenant_id(tenant), source_id(source), check, tell)
    if as_json:
        print_json({"title": found.title, "verdict": found.verdict, "sentences": found.sentences,
                    "tables": [vars(table) for table in found.tables], "remedies": found.remedies})  # fmt: skip
        return
    console.print(Markdown(found.as_markdown(tell)))

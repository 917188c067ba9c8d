"""`marts build | prepare`, and `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenant_pipeline.cli.shell import console, opened
from tenant_pipeline.services.marts.building import build_marts
from tenant_pipeline.services.marts.drawing import draw_report
from tenant_pipeline.services.marts.project import manifest_file
from tenant_pipeline.settings import Settings

app = typer.Typer(help="The governance marts: what is known of every tenant, counted.", no_args_is_help=True)


@app.command()
def build() -> None:
    """Measure every tenant that is due, build the marts with dbt, and hold each against its contract and tests."""
    with opened() as runtime:
        built = build_marts(runtime)
    console.print(
        f"{built.marts} marts are built and {built.tests} tests hold ({built.seconds:.1f} s).", highlight=False
    )


@app.command()
def prepare() -> None:
    """Make dbt's manifest, which Dagster loads the marts from; without a database and without a network."""
    console.print(str(manifest_file(Settings())), highlight=False, markup=False, soft_wrap=True)


def report(
    out: Annotated[Path, typer.Argument(help="The HTML file to write.")],
    person: Annotated[str, typer.Option(help="Who you are: somebody with the role platform-governance.")],
    reason: Annotated[str, typer.Option(help="Why you read it; it is noted in each tenant's audit log.")],
) -> None:
    """Draw the governance report from the marts, over the tenants that you govern."""
    with opened() as runtime:
        drawn = draw_report(runtime, person=person, reason=reason)
    out.write_text(drawn, encoding="utf-8")
    console.print(str(out), highlight=False, markup=False, soft_wrap=True)

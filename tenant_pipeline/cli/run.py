"""`run`: materialise a tenant's sources through Dagster, in this process, with progress."""

from __future__ import annotations

from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, TenantOption
from tenant_pipeline.cli.shell import ExitCode, complaints, opened, print_json, print_rows
from tenant_pipeline.core.garbage import loading_code
from tenant_pipeline.core.tenancy import source_id, tenant_id
from tenant_pipeline.services import sources

COLUMNS = ("id", "title", "ingest_stage", "ingest_status", "written", "coverage_score", "conflicts_count")


def run(
    tenant: TenantOption,
    source: Annotated[list[str] | None, typer.Option(help="Only these sources (repeatable).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring sources through the nine stages, the conflict matrix and the coverage score. A second time is a no-op."""
    with loading_code():
        from tenant_pipeline.cli.dagster_run import run_sources

    wanted = {source_id(each) for each in source or []}
    with opened() as runtime:
        every = sources.list_sources(runtime, tenant_id(tenant))
        chosen = [each for each in every if each.id in wanted or (not wanted and not each.is_withdrawn)]
        unknown = wanted - {each.id for each in chosen}
        for missing in sorted(unknown):
            with runtime.database.tenant(tenant_id(tenant)) as connection:
                sources.get_source(connection, tenant_id(tenant), missing)
        for each in chosen:
            sources.require_not_withdrawn(each)
        written = run_sources(runtime, chosen)
        after = {each.id: each for each in sources.list_sources(runtime, tenant_id(tenant))}
    rows = [{**after[each.id].as_json(), "written": written.get(each.id, 0)} for each in chosen]
    if as_json:
        print_json(rows)
    else:
        print_rows(f"Run over {tenant}", rows, COLUMNS, as_json=False)
        if rows and not any(row["written"] or row["ingest_status"] == "stopped" for row in rows):
            complaints.print("Nothing was written: every stage had run over the same input with the same code.")
    if any(row["ingest_status"] == "stopped" for row in rows):
        raise typer.Exit(ExitCode.STOPPED)

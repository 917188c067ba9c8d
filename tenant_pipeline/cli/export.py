"""`export`: a tenant's statements as a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenant_pipeline.cli.options import TenantOption
from tenant_pipeline.cli.shell import complaints, opened, operator
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services.export import ExportFormat, export_statements


def export(
    tenant: TenantOption,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    format_: Annotated[
        ExportFormat, typer.Option("--format", help="ndjson can be handed in again; csv is for spreadsheets.")
    ] = ExportFormat.NDJSON,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write all statements of the draft knowledge base to a file, each with its provenance."""
    with opened() as runtime:
        exported = export_statements(runtime, tenant_id(tenant), out, format_, actor=operator(), force=force)
    written = f"{exported.statements} statements in {exported.path} ({exported.bytes} bytes)."
    complaints.print(written, highlight=False, markup=False)

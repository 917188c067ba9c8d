"""`audit verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from tenant_pipeline.cli.shell import ExitCode, JsonOption, opened, print_rows
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services import registry
from tenant_pipeline.services.audit_trail import verify_audit

app = typer.Typer(help="The append-only, hash-chained audit log.", no_args_is_help=True)


@app.callback()
def audit() -> None:
    """The append-only, hash-chained audit log."""


@app.command()
def verify(
    tenant: Annotated[str | None, typer.Option("--tenant", help="Only this tenant.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check every entry's hash, the chain, and the signed checkpoints kept outside the database."""
    with opened() as runtime:
        if tenant is not None:
            registry.show_tenant(runtime, tenant_id(tenant))
        rows = verify_audit(runtime, tenant_id(tenant) if tenant else None)
    print_rows("Audit log", rows, ("tenant", "intact", "entries", "checkpoints", "problem"), as_json=as_json)
    if not all(row["intact"] for row in rows):
        raise typer.Exit(ExitCode.INTEGRITY)

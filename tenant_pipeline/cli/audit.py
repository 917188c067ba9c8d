"""`audit list | verify`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, TenantOption
from tenant_pipeline.cli.shell import ExitCode, moment, opened, print_json, print_rows
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services import registry
from tenant_pipeline.services.audit_trail import AuditFilter, read_audit, verify_audit

app = typer.Typer(help="The append-only, hash-chained audit log.", no_args_is_help=True)


@app.callback()
def audit() -> None:
    """The append-only, hash-chained audit log."""


@app.command("list")
def list_(
    tenant: TenantOption,
    actor: Annotated[str | None, typer.Option(help="Only what this person or process did.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, or a family of them: approval.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only of this subject; of a source, with its stages.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="From then on; in UTC where no zone is said.", parser=moment)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Before then; in UTC where no zone is said.", parser=moment)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many entries.")] = 50,
    before: Annotated[int | None, typer.Option(min=1, help="Only entries with a lower number.")] = None,
    as_json: JsonOption = False,
) -> None:
    """What was done in a tenant, the newest first: by whom, when, why, and on which approvals it rests."""
    wanted = AuditFilter(actor, action, subject, since, until)
    with opened() as runtime:
        registry.show_tenant(runtime, tenant_id(tenant))
        page = read_audit(runtime, tenant_id(tenant), wanted, limit=limit, before=before)
    if as_json:
        print_json({"entries": page.entries, "next": page.next})
        return
    columns = ("sequence", "at", "actor", "action", "subject", "details")
    print_rows(f"Audit log of {tenant}", page.entries, columns, as_json=False)
    if page.next is not None:
        typer.echo(f"There are older ones: --before {page.next}")


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

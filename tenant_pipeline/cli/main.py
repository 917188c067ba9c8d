"""`tenant-pipeline`: the commands, and the one place where an error becomes a message and an exit code."""

from __future__ import annotations

import sys

import typer

from tenant_pipeline.cli import (
    approval,
    audit,
    compliance,
    conflict,
    cost,
    coverage,
    doctor,
    erasure,
    evaluate,
    export,
    flag,
    gate,
    inspect,
    instance,
    link,
    mapping,
    marketplace,
    pentest,
    privacy,
    quarantine,
    reading,
    release,
    role,
    run,
    source,
    template,
    tenant,
    up,
    workspace,
)
from tenant_pipeline.cli.demo.command import demo
from tenant_pipeline.cli.shell import complaints, exit_code
from tenant_pipeline.core.errors import TenantRuntimeError

app = typer.Typer(
    name="tenant-pipeline",
    help="Turn whatever a tenant has into a trusted knowledge base that the tenant owns.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo)
app.command("up")(up.up)
app.command("workspace")(workspace.workspace)
app.command("sign-in")(workspace.sign_in)
app.command("token")(workspace.token)
app.add_typer(tenant.app, name="tenant")
app.add_typer(source.app, name="source")
app.add_typer(role.app, name="role")
app.add_typer(approval.app, name="approval")
app.add_typer(release.app, name="release")
app.add_typer(instance.app, name="instance")
app.add_typer(marketplace.app, name="marketplace")
app.add_typer(template.app, name="template")
app.add_typer(flag.app, name="flag")
app.add_typer(cost.app, name="cost")
app.add_typer(compliance.app, name="compliance")
app.add_typer(erasure.app, name="erasure")
app.command("run")(run.run)
app.command("stages")(reading.stages)
app.command("statements")(reading.statements)
app.add_typer(coverage.app, name="coverage")
app.command("explain")(coverage.explain_check)
app.command("conflicts")(conflict.conflicts)
app.add_typer(conflict.app, name="conflict")
app.command("inspect")(inspect.inspect)
app.command("export")(export.export)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(gate.app, name="gate")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(link.app, name="link")
app.add_typer(mapping.app, name="mapping")
app.add_typer(privacy.app, name="privacy")
app.add_typer(audit.app, name="audit")
app.command("pentest")(pentest.pentest)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line. An error that a user can do something about is told in three lines, without a trace."""
    try:
        app()
    except TenantRuntimeError as error:
        complaints.print(f"[bold red]{error.code}[/]: {error.what}", highlight=False)
        if error.where:
            complaints.print(f"  where:  {error.where}", highlight=False, markup=False)
        if error.remedy:
            complaints.print(f"  remedy: {error.remedy}", highlight=False, markup=False)
        sys.exit(exit_code(error))

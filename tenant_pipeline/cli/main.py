"""`tenant-pipeline`: the commands, and the one place where an error becomes a message and an exit code."""

from __future__ import annotations

import atexit
import gc
import sys
from importlib import import_module
from typing import Any, NoReturn

import typer
from rich.markup import escape
from typer.core import TyperGroup

from tenant_pipeline.cli.shell import complaints, exit_code
from tenant_pipeline.core.errors import OutageError, TenantRuntimeError
from tenant_pipeline.core.garbage import loading_code
from tenant_pipeline.telemetry.logs import log_of_process
from tenant_pipeline.telemetry.traces import span

COMMANDS = {
    "demo": "demo.command:demo",
    "up": "up:up",
    "migrate": "migrate:migrate",
    "workspace": "workspace:workspace",
    "sign-in": "workspace:sign_in",
    "token": "workspace:token",
    "tenant": "tenant:app",
    "source": "source:app",
    "feed": "feed:app",
    "role": "role:app",
    "approval": "approval:app",
    "release": "release:app",
    "instance": "instance:app",
    "marketplace": "marketplace:app",
    "template": "template:app",
    "flag": "flag:app",
    "cost": "cost:app",
    "marts": "marts:app",
    "report": "marts:report",
    "compliance": "compliance:app",
    "retention": "retention:app",
    "erasure": "erasure:app",
    "backup": "backup:app",
    "restore": "backup:restore",
    "run": "run:run",
    "stages": "reading:stages",
    "statements": "reading:statements",
    "coverage": "coverage:app",
    "explain": "coverage:explain_check",
    "conflicts": "conflict:conflicts",
    "conflict": "conflict:app",
    "inspect": "inspect:inspect",
    "export": "export:export",
    "evaluate": "evaluate:evaluate",
    "gate": "gate:app",
    "quarantine": "quarantine:app",
    "link": "link:app",
    "mapping": "mapping:app",
    "privacy": "privacy:app",
    "audit": "audit:app",
    "pentest": "pentest:app",
    "health": "health:health",
    "doctor": "doctor.command:doctor",
}
"""Each command's name, and where in this package it is."""


class OnDemand(TyperGroup):
    """The commands, each loaded when it is asked for: a command does not wait for what only the others need."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every name, in the order above."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        with loading_code():
            found = getattr(import_module(f"tenant_pipeline.cli.{module}"), attribute)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False)
            alone.command(cmd_name)(found)
            found = alone
        command = typer.main.get_command(found)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="tenant-pipeline",
    cls=OnDemand,
    help="Turn whatever a tenant has into a trusted knowledge base that the tenant owns.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _every_command() -> None:
    """Turn whatever a tenant has into a trusted knowledge base that the tenant owns."""


def main() -> None:
    """Run the command line. An error that a user can do something about is told in three lines, without a trace."""
    log_of_process("command line")
    atexit.register(gc.freeze)  # what is there at the end goes with the process: nothing has to be searched for
    try:
        with span(f"command {sys.argv[1]}" if sys.argv[1:2] and sys.argv[1] in COMMANDS else "command"):
            app()
    except TenantRuntimeError as error:
        _complain(error)
    except Exception as error:
        if outage := _outage(error):
            _complain(outage)
        raise


def _complain(error: TenantRuntimeError) -> NoReturn:
    complaints.print(f"[bold red]{error.code}[/]: {escape(error.what)}", highlight=False)
    if error.where:
        complaints.print(f"  where:  {error.where}", highlight=False, markup=False)
    if error.remedy:
        complaints.print(f"  remedy: {error.remedy}", highlight=False, markup=False)
    sys.exit(exit_code(error))


def _outage(error: Exception) -> OutageError | None:
    """What an exception says is away, a database that stops under the command for one; None if it says nothing such."""
    from tenant_pipeline.services.faults import in_our_words  # only a command that has failed needs it

    told = in_our_words(error, where=sys.argv[1] if sys.argv[1:] else "", run_id="")
    if not isinstance(told, OutageError):
        return None
    where = f"tenant-pipeline {told.where}"
    return type(told)(told.what, where=where, remedy="Once it is back, run the command again.")

"""`health`: for a probe that runs a command. The exit code says whether there can be work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import typer

from tenant_pipeline.cli.shell import ExitCode, complaints
from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.services.observation.readiness import (
    MORE,
    Unready,
    why_daemon_not_ready,
    why_no_key,
    why_not_ready,
)
from tenant_pipeline.services.runtime import Runtime, connect
from tenant_pipeline.settings import Settings


def health(
    of: Annotated[Literal["runtime", "daemon"], typer.Argument(help="Of what.")] = "runtime",
) -> None:
    """Whether the database answers and is of this version, keys can be read and objects written; and the daemon lives.

    Exit code 0 when it is so, 1 when not. Nothing is started and nothing is changed.
    """
    unready = _unready(Settings(), why_daemon_not_ready if of == "daemon" else why_not_ready)
    if unready is not None:
        complaints.print(f"{unready.examination}: {unready.says} {unready.remedy}", highlight=False, markup=False)
        raise typer.Exit(ExitCode.FAULT)
    typer.echo("ready")


def _unready(settings: Settings, examine: Callable[[Runtime], Unready | None]) -> Unready | None:
    try:
        if no_key := why_no_key(settings):
            return no_key
        with connect(settings) as runtime:
            return examine(runtime)
    except IntegrityError as error:
        return Unready("keys", f"{error.what}.", MORE)

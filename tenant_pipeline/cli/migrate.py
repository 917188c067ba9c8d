"""`migrate`: the database brought to the version of this code."""

from __future__ import annotations

from typing import Annotated

import typer

from tenant_pipeline.cli.shell import opened


def migrate(
    set_logins: Annotated[
        bool, typer.Option("--set-logins", help="Give the server's logins the passwords of this home's keys, too.")
    ] = False,
) -> None:
    """Bring the database to the version of this code; at that version already, do nothing."""
    with opened(set_logins=set_logins) as runtime, runtime.database.administration() as connection:
        row = connection.execute("SELECT version_num FROM tenant_runtime_version").fetchone()
        typer.echo(f"The database is at version {row['version_num'] if row else 'none'}.")

"""`backup new-key | take | list`, and `restore`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from tenant_pipeline.cli.shell import ExitCode, JsonOption, opened, print_json, print_rows
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services.backup.layout import BackupFolder
from tenant_pipeline.services.backup.restoring import restore as bring_back
from tenant_pipeline.services.backup.taking import take_backup
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.sealed_file import Opener, new_recovery_key

app = typer.Typer(help="Backups, sealed to a recovery key.", no_args_is_help=True)

PASSPHRASE = "TENANT_RUNTIME_BACKUP_PASSPHRASE"

FolderArgument = Annotated[Path, typer.Argument(help="The backup folder.")]
KeyOption = Annotated[Path, typer.Option("--key", help="The file with the recovery key.")]


@app.command("new-key")
def new_key(path: Annotated[Path, typer.Argument(help="The new file, to be kept away from the backups.")]) -> None:
    """Make a recovery key under a passphrase, and print the recipient that backups are sealed to."""
    typer.echo(new_recovery_key(path, _passphrase(confirm=True)))


@app.command()
def take(
    folder: FolderArgument,
    recipient: Annotated[str, typer.Option(help="What `new-key` printed.")],
    tenant: Annotated[str | None, typer.Option("--tenant", help="Only this tenant; else everything.")] = None,
) -> None:
    """Add a snapshot: rows, keys, credentials, checkpoints, and the objects that the folder has not yet."""
    with opened() as runtime:
        taken = take_backup(runtime, folder, recipient, tenant_id(tenant) if tenant else None)
    rows = sum(table["rows"] for table in taken["tables"])
    print_json({**{name: taken[name] for name in ("snapshot", "tenants", "objects", "copied")}, "rows": rows})


@app.command("list")
def list_(folder: FolderArgument, key: KeyOption, as_json: JsonOption = False) -> None:
    """The snapshots that are whole, oldest first."""
    opener = Opener(key, _passphrase())
    rows = []
    for identifier in BackupFolder(folder).snapshots():
        manifest = BackupFolder(folder).manifest(opener, identifier)
        rows.append(
            {
                "snapshot": identifier,
                "of": manifest["tenant"] or "everything",
                "tenants": len(manifest["tenants"]),
                "objects": manifest["objects"],
                "database_version": manifest["revision"],
            }
        )
    print_rows("Snapshots", rows, ("snapshot", "of", "tenants", "objects", "database_version"), as_json=as_json)


def restore(
    folder: FolderArgument,
    key: KeyOption,
    snapshot: Annotated[str, typer.Option(help="Which snapshot, as `backup list` shows them.")],
    actor: Annotated[str, typer.Option(help="Who answers for it.")],
) -> None:
    """Bring a snapshot back: everything into an empty home, a tenant where it is not. Killed, run it again."""
    done = bring_back(Settings(), folder, Opener(key, _passphrase()), snapshot, actor=actor)
    print_json(done)
    if not all(row["intact"] for row in done["audit"]):
        raise typer.Exit(ExitCode.INTEGRITY)


def _passphrase(*, confirm: bool = False) -> str:
    given = os.environ.get(PASSPHRASE)
    return given if given is not None else typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm)

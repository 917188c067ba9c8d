"""`backup new-key | take | list | verify | prune`, and `restore`."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from tenant_pipeline.cli.options import JsonOption
from tenant_pipeline.cli.shell import ExitCode, complaints, opened, print_json, print_rows
from tenant_pipeline.core.errors import InputError, IntegrityError
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.services.backup.layout import BackupFolder
from tenant_pipeline.services.backup.pruning import prune_backups
from tenant_pipeline.services.backup.restoring import restore as bring_back
from tenant_pipeline.services.backup.signing import named_signer, verified_signer
from tenant_pipeline.services.backup.taking import take_backup
from tenant_pipeline.services.backup.verifying import verify_backup
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.sealed_file import Opener, new_recovery_key

app = typer.Typer(help="Backups, sealed to a recovery key.", no_args_is_help=True)

PASSPHRASE = "TENANT_RUNTIME_BACKUP_PASSPHRASE"

FolderArgument = Annotated[Path, typer.Argument(help="The backup folder.")]
SignerOption = Annotated[
    str | None, typer.Option(help="The installation that took it, as `backup take` printed it; no other's counts.")
]
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
    print_json(
        {**{name: taken[name] for name in ("snapshot", "signed_by", "tenants", "objects", "copied")}, "rows": rows}
    )


@app.command("list")
def list_(folder: FolderArgument, key: KeyOption, as_json: JsonOption = False) -> None:
    """The snapshots that are whole, oldest first."""
    backups, opener = BackupFolder(folder).existing(), Opener(key, _passphrase())
    rows = []
    for identifier in backups.snapshots():
        manifest = backups.manifest(opener, identifier)
        rows.append(
            {
                "snapshot": identifier,
                "signed_by": _signer(backups, opener, identifier),
                "of": manifest["tenant"] or "everything",
                "tenants": len(manifest["tenants"]),
                "objects": manifest["objects"],
                "database_version": manifest["revision"],
            }
        )
    print_rows(
        "Snapshots", rows, ("snapshot", "of", "tenants", "objects", "database_version", "signed_by"), as_json=as_json
    )


def _signer(backups: BackupFolder, opener: Opener, identifier: str) -> str:
    try:
        return verified_signer(backups, opener, identifier) or "nobody"
    except IntegrityError as error:
        return error.what


@app.command()
def verify(folder: FolderArgument, key: KeyOption, signed_by: SignerOption = None, as_json: JsonOption = False) -> None:
    """Read everything and name what is damaged or missing. Delete a damaged object: the next `take` copies it anew."""
    wanted = named_signer(signed_by) if signed_by is not None else None
    reading = verify_backup(folder, Opener(key, _passphrase()), wanted)
    read = list(track(reading, "reading", console=complaints, transient=True))
    rows = [{"file": each.file, "what": each.what, "snapshots": ", ".join(each.snapshots)} for each in read if each]
    print_rows(f"Damaged, of {len(read)} files", rows, ("file", "what", "snapshots"), as_json=as_json)
    if rows:
        raise typer.Exit(ExitCode.INTEGRITY)


@app.command()
def prune(
    folder: FolderArgument,
    keep_days: Annotated[
        int, typer.Option(min=0, max=36_500, help="Snapshots older than so many days go; the newest stays.")
    ],
) -> None:
    """Remove old snapshots, and the objects that no snapshot has any more. Needs no recovery key."""
    print_json(prune_backups(folder, timedelta(days=keep_days), datetime.now(UTC)))


def restore(
    folder: FolderArgument,
    key: KeyOption,
    snapshot: Annotated[str, typer.Option(help="Which snapshot, as `backup list` shows them.")],
    actor: Annotated[str, typer.Option(help="Who answers for it.")],
    signed_by: SignerOption = None,
    unverified: Annotated[
        bool,
        typer.Option("--unverified", help="Bring back whatever lies there, whoever took it; noted in each audit log."),
    ] = False,
    leave_out_damaged: Annotated[
        bool, typer.Option("--leave-out-damaged", help="Leave out stored files that are damaged, and name them.")
    ] = False,
    feeds_go_on: Annotated[
        bool,
        typer.Option("--feeds-go-on", help="Ask feeds again at once: in the place of what was lost, not in a drill."),
    ] = False,
) -> None:
    """Bring a snapshot back: everything into an empty home, a tenant where it is not. Killed, run it again.

    Whoever can write to the folder can put a snapshot there, with roles, approvals and keys of their own. So it takes
    --signed-by.
    """
    wanted = _wanted_signer(signed_by, unverified)
    done = bring_back(
        Settings(), folder, Opener(key, _passphrase()), snapshot, actor=actor, leave_out_damaged=leave_out_damaged,
        feeds_go_on=feeds_go_on, signed_by=wanted, tell=_tell_dagster,
    )  # fmt: skip
    print_json(done)
    if done["left_out"] or not all(row["intact"] for row in done["audit"]):
        raise typer.Exit(ExitCode.INTEGRITY)


def _wanted_signer(signed_by: str | None, unverified: bool) -> str | None:
    """Whose snapshot comes; None for anybody's. Raises InputError where that was not said."""
    if signed_by is not None and unverified:
        raise InputError(
            "Both a signer and none are asked for", where="--unverified", remedy="Leave it away: --signed-by verifies."
        )
    if signed_by is not None:
        return named_signer(signed_by)
    if not unverified:
        raise InputError(
            "It is not said who took the snapshot",
            where="--signed-by",
            remedy="Name the installation, as `backup take` printed it. Where nobody kept that, look at who could write"
            " to the folder, and add --unverified.",
        )
    complaints.print(
        "NOT VERIFIED: this brings back whatever lies in the folder, whoever put it there, with its roles, approvals"
        " and keys.",
        style="bold red",
    )
    return None


def _tell_dagster(runtime: Runtime, tenants: list[TenantId]) -> None:
    """Let Dagster know the partitions of what was restored: its own database is no part of a backup."""
    from tenant_pipeline.cli.dagster_run import register_partitions

    register_partitions(runtime, tenants)


def _passphrase(*, confirm: bool = False) -> str:
    given = os.environ.get(PASSPHRASE)
    return given if given is not None else typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm)

"""`doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass

import typer

from tenant_pipeline.cli.shell import ExitCode, JsonOption, print_rows
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.services.audit_trail import verify_audit
from tenant_pipeline.services.runtime import administration_dsn, open_runtime
from tenant_pipeline.settings import Settings

LEAST_FREE_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Finding:
    """What an examination found: fine or not, in one sentence, and the remedy when it is not."""

    fine: bool
    says: str
    remedy: str = ""


def doctor(as_json: JsonOption = False) -> None:
    """Examine the installation: Python, disk, permissions, contracts, database, row-level security, audit log."""
    settings = Settings()
    rows = []
    for name, examine in EXAMINATIONS.items():
        try:
            finding = examine(settings)
        except TenantRuntimeError as error:
            finding = Finding(False, f"{error.what} [{error.where}]", error.remedy)
        rows.append(
            {
                "examination": name,
                "fine": finding.fine,
                "says": finding.says,
                "remedy": "" if finding.fine else finding.remedy,
            }
        )
    print_rows("Doctor", rows, ("examination", "fine", "says", "remedy"), as_json=as_json)
    if not all(row["fine"] for row in rows):
        raise typer.Exit(ExitCode.FAULT)


def _python(settings: Settings) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(sys.version_info >= (3, 11), f"Python {version}", "Use Python 3.11 or newer.")


def _disk(settings: Settings) -> Finding:
    place = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    free = shutil.disk_usage(place).free
    return Finding(
        free >= LEAST_FREE_BYTES,
        f"{free / 1024**3:.1f} GiB free for {settings.home}",
        "Free some space, or set TENANT_RUNTIME_HOME to a larger disk.",
    )


def _keys_private(settings: Settings) -> Finding:
    directory = settings.keys_directory
    if not directory.exists():
        return Finding(True, "no keys yet")
    loose = [path for path in (directory, *directory.rglob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    return Finding(
        not loose,
        f"{len(loose)} key files or folders are open to other users" if loose else "keys are private",
        f"chmod -R go= {directory}",
    )


def _contracts(settings: Settings) -> Finding:
    load_contracts()
    return Finding(True, "eight contracts, valid and with labels at parity")


def _database(settings: Settings) -> Finding:
    running = administration_dsn(settings) is not None
    with open_runtime(settings) as runtime, runtime.database.platform() as connection:
        row = connection.execute("SHOW server_version").fetchone() or {}
    own = "an external" if settings.database_dsn else "the running embedded" if running else "the embedded"
    return Finding(True, f"{own} PostgreSQL {row.get('server_version', '')} answers, migrated")


def _row_level_security(settings: Settings) -> Finding:
    with open_runtime(settings) as runtime, runtime.database.administration() as connection:
        rows = connection.execute(
            """
            SELECT class.relname
              FROM pg_class AS class
              JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
              JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attname = 'tenant_id'
             WHERE namespace.nspname = 'runtime' AND class.relkind IN ('r', 'p')
               AND NOT (class.relrowsecurity AND class.relforcerowsecurity)
            """
        ).fetchall()
    return Finding(
        not rows,
        f"{len(rows)} tenant-bound tables without forced row-level security"
        if rows
        else "row-level security is forced on every tenant-bound table",
        "Restore the policies from tenant_pipeline/storage/migrations/sql.",
    )


def _audit(settings: Settings) -> Finding:
    with open_runtime(settings) as runtime:
        broken = [row["tenant"] for row in verify_audit(runtime, None) if not row["intact"]]
    return Finding(
        not broken,
        f"the audit log of {', '.join(broken)} was changed" if broken else "the audit log is intact",
        "`tenant-pipeline audit verify` tells the first broken entry; restore from backup and find out who did it.",
    )


def _environment(settings: Settings) -> Finding:
    elsewhere = os.environ.get("DAGSTER_HOME")
    fine = elsewhere is None or elsewhere == str(settings.dagster_home.resolve())
    return Finding(
        fine,
        "DAGSTER_HOME is ours" if fine else f"DAGSTER_HOME points to {elsewhere}",
        "Unset DAGSTER_HOME: the commands set it for themselves.",
    )


EXAMINATIONS: dict[str, Callable[[Settings], Finding]] = {
    "python": _python,
    "disk": _disk,
    "keys": _keys_private,
    "contracts": _contracts,
    "database": _database,
    "row-level security": _row_level_security,
    "audit log": _audit,
    "environment": _environment,
}

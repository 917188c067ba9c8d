"""Versioned, forward-only migrations. Each version runs SQL files of `sql/`, one subject each, in one transaction."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.storage.database import PLATFORM, Database, is_refused, is_wrong_password, role_exists

VERSION_TABLE = "tenant_runtime_version"
OLDEST_SERVER = 160000


def migrate(database: Database, revision: str | None = None, *, set_logins: bool = False) -> str:
    """Bring the database to the version of this code and return that version; at that version already, do nothing.

    An earlier `revision` is where a backup of that version is brought back to; a database past it is left as it is.
    `set_logins`: the server's logins get the passwords of these keys in any case, whosever they have.

    Several processes may call it at once: one migrates, the others wait. Raises SettingsError when the database is
    newer than the code, PostgreSQL older than 16, or the logins have or may have passwords of other keys; then nothing
    is changed.
    """
    head = head_version()
    with psycopg.connect(database.conninfo()) as connection:
        if connection.info.server_version < OLDEST_SERVER:
            raise SettingsError(
                "The PostgreSQL server is older than version 16",
                where="TENANT_RUNTIME_DATABASE_DSN",
                remedy="Upgrade it.",
            )
        before = version_of(connection)
    if before == head and not set_logins:
        return head
    for named in (revision, before):
        if named is not None and named not in known_versions():
            raise _unknown(named)
    _upgrade(database, revision or "head", set_logins=set_logins)
    return revision or head


def _upgrade(database: Database, revision: str, *, set_logins: bool) -> None:
    # Loaded where there is something to migrate: commands and probes only ask for the version.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import NullPool, create_engine, text

    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database.conninfo()), poolclass=NullPool
    )
    config = Config()
    config.set_main_option("script_location", "tenant_pipeline.storage:migrations")
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('tenant runtime migration'))"))
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        if not set_logins:
            _require_our_logins(database, driver)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        # In the same transaction: a process killed after it would leave logins without a password behind.
        database.set_role_passwords(driver)
        connection.commit()


def _require_our_logins(database: Database, connection: psycopg.Connection[Any]) -> None:
    """Raise SettingsError where the platform's login has or may have a password that these keys do not give.

    Roles are the server's: whoever has it, in this database or another, would be locked out.
    """
    if not role_exists(connection, PLATFORM):
        return
    try:
        psycopg.connect(database.platform_conninfo()).close()
    except psycopg.OperationalError as error:
        if is_wrong_password(error):
            raise SettingsError(
                "The keys folder is not the one that belongs to this server's logins",
                where="keys folder",
                remedy="Name the home that it is in (TENANT_RUNTIME_HOME), or restore it. Where no other installation"
                " lives by these logins, `tenant-pipeline migrate --set-logins` gives them the passwords of these.",
            ) from None
        if not is_refused(error):
            raise SettingsError(
                "Whether these keys belong to the server's logins could not be found out",
                where="database",
                remedy="Try again when the server has free connections and speaks English (lc_messages: `C`).",
            ) from error


def refuse_newer(database: Database) -> None:
    """Raise SettingsError where the database is newer than the code, which would misread what it finds there.

    Of a database that does not answer nothing is said: whether there can be work is another question.
    """
    try:
        with database.administration() as connection:
            found = version_of(connection)
    except psycopg.OperationalError:
        return
    if found is not None and found not in known_versions():
        raise _unknown(found)


def _unknown(revision: str) -> SettingsError:
    return SettingsError(
        f"The database is at version {revision}, which this code, of version {head_version()}, does not know",
        where="database",
        remedy="Install the newer release of the Tenant Runtime that migrated it, or restore the backup that was taken"
        " before.",
    )


def head_version() -> str:
    """The version of the database that this code works with."""
    return _versions()[-1]


def known_versions() -> frozenset[str]:
    """Every version that this code can migrate from, and its own."""
    return frozenset(_versions())


@cache
def _versions() -> tuple[str, ...]:
    """Every version, the earliest first: its number stands at the beginning of its file's name."""
    return tuple(sorted(path.name.partition("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py")))


def version_of(connection: psycopg.Connection[Any]) -> str | None:
    """The version that a database is at; None where it was never migrated."""
    there = connection.execute("SELECT to_regclass(%s) IS NOT NULL AS there", (VERSION_TABLE,)).fetchone()
    if not there or not _only(there):
        return None
    row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
    return str(_only(row)) if row else None


def _only(row: Any) -> Any:
    """The one value of a row, whatever kind of row the connection gives."""
    return next(iter(row.values())) if isinstance(row, dict) else row[0]

"""Versioned, forward-only migrations. Each version runs SQL files of `sql/`, one subject each, in one transaction."""

from __future__ import annotations

from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text

from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.storage.database import Database

VERSION_TABLE = "tenant_runtime_version"
OLDEST_SERVER = 160000


def migrate(database: Database, revision: str | None = None) -> str:
    """Bring the database to the version of this code and return that version; at that version already, do nothing.

    An earlier `revision` is where a backup of that version is brought back to; a database past it is left as it is.

    Several processes may call it at once: one migrates, the others wait. Raises SettingsError when the database is
    newer than the code, or PostgreSQL older than 16.
    """
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database.conninfo()), poolclass=NullPool
    )
    config, _ = _scripts()
    head = head_version()
    with engine.connect() as connection:
        if connection.execute(text("SELECT current_setting('server_version_num')::int")).scalar_one() < OLDEST_SERVER:
            raise SettingsError(
                "The PostgreSQL server is older than version 16",
                where="TENANT_RUNTIME_DATABASE_DSN",
                remedy="Upgrade it.",
            )
        before = _version(connection)
        if before == head:
            return head
        if revision is not None and revision not in known_versions():
            raise _unknown(revision)
        if before is not None and before not in known_versions():
            raise _unknown(before)
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('tenant runtime migration'))"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision or "head")
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        # In the same transaction: a process killed after it would leave logins without a password behind.
        database.set_role_passwords(driver)
        connection.commit()
    return revision or head


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
    head = _scripts()[1].get_current_head()
    assert head is not None
    return head


def known_versions() -> frozenset[str]:
    """Every version that this code can migrate from, and its own."""
    return frozenset(revision.revision for revision in _scripts()[1].walk_revisions())


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


def _scripts() -> tuple[Config, ScriptDirectory]:
    config = Config()
    config.set_main_option("script_location", "tenant_pipeline.storage:migrations")
    return config, ScriptDirectory.from_config(config)


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()

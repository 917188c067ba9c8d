"""Dagster's own database: beside the tenants' data on the same server, with a role that can see nothing of it."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from tenant_pipeline.storage.database import Database, role_exists

DATABASE = "tenant_runtime_dagster"
ROLE = "tenant_runtime_dagster"
_LOGIN = frozenset({"user", "password", "dbname"})


def ensure_dagster_database(database: Database) -> str:
    """Create Dagster's role and database where they are missing; return the URL that dagster-postgres takes.

    The driver is named in the URL: with a bare `postgresql://` SQLAlchemy 2.1 picks psycopg 3, which breaks the
    NOTIFY that Dagster's event watcher rests on.
    """
    password = database.password_of(ROLE)
    with database.autocommit() as connection:
        if not role_exists(connection, ROLE):
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} NOSUPERUSER NOCREATEDB NOCREATEROLE").format(
                    sql.Identifier(ROLE), sql.Literal(password)
                )
            )
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if known is None:
            # Who is no superuser may give a database only to a role that it may become.
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(ROLE)))
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
            )
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))
    return _url(database.conninfo(), password)


def dagster_conninfo(given: SecretStr | None, database: Database) -> str:
    """What psycopg takes to come to Dagster's database, which may not be there yet: the given URL's, or our own's."""
    url = given.get_secret_value() if given else _url(database.conninfo(), database.password_of(ROLE))
    return url.replace("postgresql+psycopg2://", "postgresql://", 1)


def _url(conninfo: str, password: str) -> str:
    """What leads to the server, and how it must prove itself, is that of the tenants' data; the login is Dagster's."""
    asked = {name: value for name, value in conninfo_to_dict(conninfo).items() if name not in _LOGIN}
    # Percent-encoded throughout: libpq takes a plus sign in a URL for a plus sign.
    return f"postgresql+psycopg2://{ROLE}:{password}@/{DATABASE}?{urlencode(asked, quote_via=quote)}"

"""How Dagster comes to its database: as the tenants' data is come to, with a login of its own."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import make_url

from tenant_pipeline.storage.dagster_database import DATABASE, ROLE, dagster_conninfo
from tenant_pipeline.storage.database import Database


@pytest.mark.parametrize(
    "server",
    [
        {"host": "10.20.0.10", "port": "6432"},
        {"host": "first.internal,second.internal", "port": "5432,5433", "target_session_attrs": "read-write"},
        {"host": "/run/postgres sql", "port": "5433"},
        {"host": "db.internal", "sslmode": "verify-full", "sslrootcert": "/etc/tls/the server's+own.pem"},
        {},
    ],
)
def test_the_server_is_found_and_proves_itself_as_for_the_tenants_data(server: dict[str, str]) -> None:
    database = Database(make_conninfo(user="owner", password="p w", dbname="city", **server), b"secret")
    expected = {**server, "user": ROLE, "password": database.password_of(ROLE), "dbname": DATABASE}
    url = dagster_conninfo(None, database)
    assert conninfo_to_dict(url) == expected

    asked = make_url(url.replace("postgresql://", "postgresql+psycopg2://"))
    assert asked.get_dialect()().create_connect_args(asked) == ([], expected)

"""Taking a tenant out of the marts. A build that begins afterwards leaves it out by itself."""

from __future__ import annotations

from psycopg import sql

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.marts.building import alone
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection

SCHEMA = "governance"
_TABLES = """
SELECT class.relname AS name FROM pg_class AS class
  JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attname = 'tenant_id'
 WHERE class.relnamespace = 'governance'::regnamespace AND class.relkind = 'r'
 ORDER BY class.relname
"""


def forget_tenant(runtime: Runtime, tenant: TenantId) -> int:
    """Delete the tenant's rows from every table of the marts, those that a killed build has left included; how many.

    Waits for a build that is under way.
    """
    with runtime.database.marts() as connection:
        alone(connection)
        return sum(
            connection.execute(
                sql.SQL("DELETE FROM {} WHERE tenant_id = %s").format(sql.Identifier(SCHEMA, table)), (tenant,)
            ).rowcount
            for table in tables_of_marts(connection)
        )


def rows_of(runtime: Runtime, tenant: TenantId) -> int:
    """How many rows of the marts are of the tenant."""
    with runtime.database.marts() as connection:
        counted = 0
        for table in tables_of_marts(connection):
            row = connection.execute(
                sql.SQL("SELECT count(*) AS rows FROM {} WHERE tenant_id = %s").format(sql.Identifier(SCHEMA, table)),
                (tenant,),
            ).fetchone()
            counted += row["rows"] if row else 0
        return counted


def tables_of_marts(connection: Connection) -> list[str]:
    """Every table of the marts that names a tenant."""
    return [row["name"] for row in connection.execute(_TABLES)]

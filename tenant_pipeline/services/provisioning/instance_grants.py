"""What an instance's login may do, as the catalogue has it: read its tenant's release, and nothing else anywhere."""

from __future__ import annotations

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.storage import serving
from tenant_pipeline.storage.database import Connection

_EXCESS = """
WITH role AS (SELECT oid, rolname FROM pg_roles WHERE rolname = %(role)s),
     space AS (SELECT oid, nspname FROM pg_namespace
                WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname NOT LIKE 'pg\\_t%%')
SELECT 'is a member of ' || pg_get_userbyid(roleid) AS excess
  FROM pg_auth_members WHERE member = (SELECT oid FROM role)
UNION ALL
SELECT 'has more than a login''s attributes' FROM pg_roles
 WHERE rolname = %(role)s AND (rolsuper OR rolinherit OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
UNION ALL
SELECT 'may use more of the database than CONNECT'
 WHERE has_database_privilege(%(role)s, current_database(), 'CREATE')
    OR has_database_privilege(%(role)s, current_database(), 'TEMPORARY')
UNION ALL
SELECT 'may use the schema ' || nspname FROM space, role
 WHERE nspname <> %(schema)s AND has_schema_privilege(role.oid, space.oid, 'USAGE')
UNION ALL
SELECT 'may create in the schema ' || nspname FROM space, role WHERE has_schema_privilege(role.oid, space.oid, 'CREATE')
UNION ALL
SELECT 'may read ' || nspname || '.' || relname FROM pg_class AS class JOIN space ON space.oid = relnamespace, role
 WHERE nspname <> %(schema)s AND relkind IN ('r', 'v', 'm', 'p', 'f')
   AND has_any_column_privilege(role.oid, class.oid, 'SELECT')
UNION ALL
SELECT 'may read past the live release in ' || nspname || '.' || relname
  FROM pg_class AS class JOIN space ON space.oid = relnamespace, role
 WHERE nspname = %(schema)s AND relname = ANY(%(tables)s) AND has_any_column_privilege(role.oid, class.oid, 'SELECT')
UNION ALL
SELECT 'may change ' || nspname || '.' || relname FROM pg_class AS class JOIN space ON space.oid = relnamespace, role
 WHERE relkind IN ('r', 'v', 'm', 'p', 'f')
   AND (has_table_privilege(role.oid, class.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        OR has_any_column_privilege(role.oid, class.oid, 'INSERT, UPDATE, REFERENCES'))
UNION ALL
SELECT 'owns ' || nspname || '.' || relname FROM pg_class AS class JOIN space ON space.oid = relnamespace, role
 WHERE relowner = role.oid
"""

_SHORTFALL = """
SELECT wanted || ' is missing or may not be read' AS lacks FROM unnest(%(views)s::text[]) AS wanted
 WHERE NOT coalesce(
       has_table_privilege(%(role)s, to_regclass(format('%%I.%%I', %(schema)s::text, wanted)), 'SELECT'), false)
"""


def check_instance_grants(connection: Connection, schema: str, role: str) -> int:
    """Hold the login to its promise and return how many relations it may read.

    Raises ProvisioningError with everything that it may do beyond reading the serving views of `schema`, or that those
    lack.
    """
    asked = {"role": role, "schema": schema, "tables": list(serving.TABLES), "views": list(serving.VIEWS)}
    wrong = [row["excess"] for row in connection.execute(_EXCESS, asked).fetchall()]
    wrong += [row["lacks"] for row in connection.execute(_SHORTFALL, asked).fetchall()]
    if wrong:
        raise ProvisioningError(
            f"The instance's login is not as it should be: {'; '.join(wrong)}",
            where=role,
            remedy="Revoke what it should not have, and mend the serving schema.",
        )
    row = connection.execute(
        """
        SELECT count(*) AS readable FROM pg_class
         WHERE relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND relkind IN ('r', 'v')
           AND has_table_privilege(%(role)s, oid, 'SELECT')
        """,
        asked,
    ).fetchone()
    return int(row["readable"]) if row else 0

"""The database server, and who may do what there."""

from __future__ import annotations

from typing import Any

import psycopg

from tenant_pipeline.cli.doctor.finding import Finding, NotExaminedError, Patient, advice, fine, wrong
from tenant_pipeline.storage.database import GOVERNANCE, MARTS, PLATFORM, Connection
from tenant_pipeline.storage.migrations import OLDEST_SERVER, head_version, known_versions, version_of

LEAST_CONNECTIONS = 60
"""Three processes with sixteen idle connections each, and some for Dagster."""


def answers(patient: Patient) -> Finding:
    """The server answers, and is new enough."""
    whose = "an external" if patient.settings.database_dsn else "the embedded"
    if patient.database is None:
        if patient.settings.database_dsn is None and not patient.settings.postgres_directory.exists():
            raise NotExaminedError("there is no embedded database yet; the first command makes it")
        if patient.settings.database_dsn is None:
            return wrong("the embedded PostgreSQL does not answer", "Its log, postgres/postgres.log, says why.")
        return wrong(
            "the PostgreSQL that TENANT_RUNTIME_DATABASE_DSN names does not answer, or does not let us in",
            "Check host, port, role and password in TENANT_RUNTIME_DATABASE_DSN, and the server's pg_hba.conf.",
        )
    with patient.connection() as connection:
        row = connection.execute("SELECT current_setting('server_version_num')::int AS number").fetchone() or {}
    says = f"{whose} PostgreSQL {row['number'] // 10000} answers"
    return fine(says) if row["number"] >= OLDEST_SERVER else wrong(says, "Upgrade it to 16 or newer.")


def version(patient: Patient) -> Finding:
    """The database is at the version of this code."""
    wanted = head_version()
    with patient.connection() as connection:
        found = version_of(connection)
    if found is None:
        return fine("the database is empty; the first command migrates it")
    if found not in known_versions():
        return wrong(
            f"the database is at version {found}, which this code ({wanted}) does not know",
            "Install the newer release of the Tenant Runtime that migrated it.",
        )
    if found != wanted:
        return wrong(
            f"the database is at version {found}, and this code at {wanted}",
            "Back it up, then `tenant-pipeline migrate`; restart every process after that.",
        )
    return fine(f"the database is at version {wanted}")


def encoding(patient: Patient) -> Finding:
    """Text is UTF-8, and sorts as it did when its indexes were built."""
    with patient.connection() as connection:
        row = (
            connection.execute(
                """
            SELECT pg_encoding_to_char(encoding) AS encoding, datcollversion AS built,
                   pg_database_collation_actual_version(oid) AS actual
              FROM pg_database WHERE datname = current_database()
            """
            ).fetchone()
            or {}
        )
    if row["encoding"] != "UTF8":
        return wrong(
            f"the database's encoding is {row['encoding']}",
            "Make one with UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.",
        )
    if row["built"] != row["actual"]:
        return wrong(
            "the operating system sorts text otherwise than when the indexes were built",
            "REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION.",
        )
    return fine("text is UTF-8")


def rights(patient: Patient) -> Finding:
    """The role that owns the installation may make roles, schemas and databases."""
    with patient.connection() as connection:
        row = (
            connection.execute(
                """
            SELECT rolsuper, rolcreaterole, rolcreatedb,
                   has_database_privilege(current_database(), 'CREATE') AS may_create
              FROM pg_roles WHERE rolname = current_user
            """
            ).fetchone()
            or {}
        )
    lacking = [
        name
        for name, has in (
            ("CREATEROLE", row["rolcreaterole"]),
            ("CREATEDB", row["rolcreatedb"] or patient.settings.dagster_dsn is not None),
            ("CREATE on the database", row["may_create"]),
        )
        if not has and not row["rolsuper"]
    ]
    if lacking:
        remedy = "ALTER ROLE … CREATEROLE CREATEDB; GRANT CREATE ON DATABASE … TO …; or name another role in the DSN."
        return wrong(f"the database role lacks {', '.join(lacking)}", remedy)
    return fine("the database role may make what is needed")


def logins(patient: Patient) -> Finding:
    """The keys in the home belong to this database: the passwords that they give are its roles'."""
    with patient.migrated_connection():
        pass
    database = patient.as_roles()
    try:
        psycopg.connect(database.platform_conninfo(), connect_timeout=5).close()
    except psycopg.OperationalError:
        return wrong(
            "the platform cannot log in with the password that the master key gives",
            "Restore the keys folder that belongs to this database, or the database that belongs to these keys. Where"
            " they belong together, `tenant-pipeline migrate --set-logins` gives the logins their passwords again.",
        )
    return fine("the platform can log in")


def runtime_roles(patient: Patient) -> Finding:
    """No role that works for somebody can pass by row-level security."""
    with patient.migrated_connection() as connection:
        rows = connection.execute(
            """
            SELECT rolname FROM pg_roles
             WHERE (rolsuper OR rolbypassrls OR rolcreaterole)
               AND (rolname IN (%s, %s, %s, 'tenant_runtime_tenants', 'tenant_runtime_owner')
                    OR rolname IN (SELECT role_name FROM runtime.tenant_logins) OR rolname LIKE 'nerve\\_%%')
             ORDER BY rolname
            """,
            (PLATFORM, GOVERNANCE, MARTS),
        ).fetchall()
    found = [row["rolname"] for row in rows]
    if found:
        return wrong(
            f"{', '.join(found)} can pass by row-level security",
            "ALTER ROLE … NOSUPERUSER NOBYPASSRLS NOCREATEROLE for each, and find out who changed it.",
        )
    return fine("no working role passes by row-level security")


def row_level_security(patient: Patient) -> Finding:
    """Row-level security is forced on every tenant-bound table."""
    with patient.migrated_connection() as connection:
        rows = connection.execute(
            """
            SELECT class.relname
              FROM pg_class AS class
              JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attname = 'tenant_id'
             WHERE class.relnamespace = 'runtime'::regnamespace AND class.relkind IN ('r', 'p')
               AND NOT (class.relrowsecurity AND class.relforcerowsecurity)
             ORDER BY class.relname
            """
        ).fetchall()
    if rows:
        return wrong(
            f"row-level security is not forced on {', '.join(row['relname'] for row in rows)}",
            "ALTER TABLE runtime.… ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; `tenant-pipeline pentest`.",
        )
    return fine("row-level security is forced on every tenant-bound table")


def policies(patient: Patient) -> Finding:
    """Every tenant-bound table has its policy, and none lets a tenant see or write the rows of others."""
    with patient.migrated_connection() as connection:
        rows = connection.execute(
            """
            SELECT class.relname,
                   bool_or(coalesce(policy.qual, policy.with_check) NOT LIKE '%my_tenant%'
                           OR coalesce(policy.with_check, policy.qual) NOT LIKE '%my_tenant%') AS is_open
              FROM pg_class AS class
              JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attname = 'tenant_id'
              LEFT JOIN pg_policies AS policy
                ON policy.schemaname = 'runtime' AND policy.tablename = class.relname
               AND policy.permissive = 'PERMISSIVE' -- a restrictive one shows nothing that another did not
               AND policy.roles && ARRAY['tenant_runtime_tenants', 'public']::name[]
             WHERE class.relnamespace = 'runtime'::regnamespace AND class.relkind IN ('r', 'p')
               AND has_any_column_privilege('tenant_runtime_tenants', class.oid, 'SELECT')
             GROUP BY class.relname
            HAVING NOT coalesce(bool_or(policy.policyname = 'own_rows'), false)
                OR bool_or(coalesce(policy.qual, policy.with_check) NOT LIKE '%my_tenant%'
                           OR coalesce(policy.with_check, policy.qual) NOT LIKE '%my_tenant%')
             ORDER BY class.relname
            """
        ).fetchall()
    remedy = "Restore the policies from tenant_pipeline/storage/migrations/sql, then run `tenant-pipeline pentest`."
    if opened := [row["relname"] for row in rows if row["is_open"]]:
        return wrong(f"a policy lets tenants read or write the rows of others on {', '.join(opened)}", remedy)
    if rows:
        return wrong(f"the policy is missing on {', '.join(row['relname'] for row in rows)}", remedy)
    return fine("every tenant-bound table has its policy")


def connections(patient: Patient) -> Finding:
    """The server takes as many connections as the processes keep."""
    with patient.connection() as connection:
        row = (
            connection.execute(
                """
            SELECT current_setting('max_connections')::int AS server,
                   (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database,
                   (SELECT min(nullif(rolconnlimit, -1)) FROM pg_roles
                     WHERE rolname IN ('tenant_runtime_platform', 'tenant_runtime_governance')) AS role,
                   (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database) AS used
            """
            ).fetchone()
            or {}
        )
    most = min(each for each in (row["server"], row["database"], row["role"]) if each is not None and each >= 0)
    says = f"at most {most} connections, {row['used']} in use"
    if most < LEAST_CONNECTIONS:
        remedy = "Raise max_connections, ALTER DATABASE … CONNECTION LIMIT -1, ALTER ROLE … CONNECTION LIMIT -1."
        return wrong(says, remedy)
    if row["used"] > 0.8 * row["server"]:
        return wrong(says, "Raise max_connections, or run fewer server processes.")
    return fine(says)


def messages(patient: Patient) -> Finding:
    """The server says in English why it refuses a login: only its words tell."""
    with patient.connection() as connection:
        row = connection.execute("SELECT current_setting('lc_messages') AS locale").fetchone() or {}
    if not is_english(row["locale"]):
        return wrong(
            f"the server's messages are in {row['locale']}: a refused login is not told from a server that is away",
            "ALTER SYSTEM SET lc_messages TO 'C'; SELECT pg_reload_conf();",
        )
    return fine("the server's messages are English")


def is_english(locale: str) -> bool:
    """Whether PostgreSQL speaks English in a locale: of those that it has translations for, in these."""
    return locale.partition(".")[0].partition("@")[0] in ("", "C", "POSIX") or locale.lower().startswith("en")


def durability(patient: Patient) -> Finding:
    """What was committed is on the disk."""
    names = ("fsync", "full_page_writes", "synchronous_commit")
    with patient.connection() as connection:
        rows = connection.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", (list(names),))
        off = sorted(row["name"] for row in rows if row["setting"] == "off")
    if off:
        return wrong(f"{', '.join(off)} is off: a crash loses work", "Switch it on in the server.")
    return fine("what is committed is on the disk")


def pooler(patient: Patient) -> Finding:
    """What is between us and the server keeps a session for one client: roles and locks depend on it."""
    with patient.connection() as ours, patient.connection() as another:
        first = _session(ours)
        ours.commit()
        # A quiet pooler gives what was free last: were the session not kept for us, this transaction would have it now.
        theirs = _session(another)
        kept = theirs != first and _session(ours) == first
    if not kept:
        return advice("a pooler gives another session to each transaction", "Set its pool_mode to session.")
    return fine("a connection is one session")


def _session(connection: Connection) -> dict[str, Any] | None:
    return connection.execute("SELECT pg_backend_pid() AS pid, session_user AS who").fetchone()

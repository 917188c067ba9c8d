"""Connections: each is one login role, one transaction.

Who may see what is decided by PostgreSQL from the role that logged in, never by a setting or by this code. So a use
case asks for the connection of whom it works for: a tenant, the platform, governance.
"""

from __future__ import annotations

import hmac
import select
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.tenancy import TenantId, tenant_id

Connection = psycopg.Connection[dict[str, Any]]

ALLOW_MEMORY = "SET LOCAL work_mem = '64MB'"
"""Memory for each sort and join of all of a source; by itself the database takes 4 MiB, then writes them to disk."""

PLATFORM = "tenant_runtime_platform"
GOVERNANCE = "tenant_runtime_governance"
MARTS = "tenant_runtime_marts"
IDLE_CONNECTIONS = 16
LONGEST_LOCK_WAIT = "10s"
_INSTANCE_LOGIN = "LOGIN NOINHERIT CONNECTION LIMIT 20"
_POWERS = {
    "rolsuper": "NOSUPERUSER",
    "rolcreatedb": "NOCREATEDB",
    "rolcreaterole": "NOCREATEROLE",
    "rolreplication": "NOREPLICATION",
    "rolbypassrls": "NOBYPASSRLS",
}
"""What no login of an instance may have. Only a superuser may even name some of these: what is not there, is not."""

_WRONG_PASSWORD = ("password authentication failed", "SASL authentication failed")
_REFUSED = ("authentication failed", "pg_hba.conf", "is not permitted to log in", "permission denied for database")
"""The words of PostgreSQL, and of PgBouncer: of a connection that fails the driver tells no SQLSTATE."""


class Database:
    """One PostgreSQL database, as its several roles."""

    _rolled_back = False
    """Whether transactions of the roles are undone at their end, rather than committed."""

    def __init__(self, administration_dsn: str, login_secret: bytes) -> None:
        self._dsn = administration_dsn
        self._login_secret = login_secret
        self._idle: OrderedDict[str, Connection] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "Database(…)"

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            while self._idle:
                self._idle.popitem()[1].close()

    def conninfo(self) -> str:
        """The administration DSN. A secret: for other processes' environments, never for messages or arguments."""
        return self._dsn

    def platform_conninfo(self) -> str:
        """The DSN of the platform's login, for a connection that is kept open. A secret."""
        return make_conninfo(self._dsn, user=PLATFORM, password=self.password_of(PLATFORM))

    def marts_conninfo(self) -> str:
        """The DSN of the marts' builder, for dbt's environment. A secret."""
        return make_conninfo(self._dsn, user=MARTS, password=self.password_of(MARTS))

    def password_of(self, role: str) -> str:
        """The password of a role of ours, derived and nowhere stored."""
        return hmac.digest(self._login_secret, role.encode(), "sha256").hex()

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """An administration connection without a transaction, for what cannot be in one (CREATE DATABASE)."""
        with psycopg.connect(self._dsn, autocommit=True, row_factory=dict_row) as connection:
            yield connection

    @contextmanager
    def administration(self) -> Iterator[Connection]:
        """One transaction as the role that owns the installation."""
        with psycopg.connect(self._dsn, row_factory=dict_row) as connection:
            yield connection

    @contextmanager
    def platform(self) -> Iterator[Connection]:
        """One transaction as the platform: the registry and what is known about sources, not what they say."""
        with self._as(PLATFORM) as connection:
            yield connection

    @contextmanager
    def governance(self) -> Iterator[Connection]:
        """One transaction as governance: reads verdicts, records and overrides of all tenants, writes nothing."""
        with self._as(GOVERNANCE) as connection:
            yield connection

    @contextmanager
    def marts(self) -> Iterator[Connection]:
        """One transaction as the builder of the marts: reads counts of all tenants, writes nothing but the marts."""
        with self._as(MARTS) as connection:
            yield connection

    @contextmanager
    def tenant(self, tenant: TenantId) -> Iterator[Connection]:
        """One transaction as the tenant. Raises NotFoundError when the tenant has no login."""
        with self._as(login_of(tenant)) as connection:
            yield connection

    def create_tenant_login(self, tenant: TenantId) -> str:
        """Make the tenant's login role and schema where they are missing; return their common name."""
        role = login_of(tenant)
        with self.administration() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('tenant login'))")
            if not role_exists(connection, role):
                connection.execute(
                    sql.SQL(
                        "CREATE ROLE {} LOGIN PASSWORD {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS"
                    ).format(sql.Identifier(role), sql.Literal(self.password_of(role)))
                )
            connection.execute("SELECT app.admit_tenant(%s, %s)", (tenant, role))
        return role

    def set_role_passwords(self, connection: psycopg.Connection[Any]) -> None:
        """Give the logins of the platform, of governance and of the marts' builder their derived passwords.

        In the caller's transaction; a login that the database's version does not have yet is left out.
        """
        for role in (PLATFORM, GOVERNANCE, MARTS):
            if role_exists(connection, role):
                connection.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                        sql.Identifier(role), sql.Literal(self.password_of(role))
                    )
                )

    def create_instance_login(self, tenant: TenantId) -> str:
        """Make the login of the tenant's instance where it is missing, with nothing but CONNECT; return its name.

        What it may read is granted with the schema that it reads. A login that was there is brought back to the
        attributes that it should have; one that is made anew gets a password that it never had.
        """
        role = instance_login_of(tenant)
        name, attributes = sql.Identifier(role), sql.SQL(_INSTANCE_LOGIN)
        with self.administration() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('tenant login'))")
            if not role_exists(connection, role):
                _count_rotation(connection, tenant)
                connection.execute(sql.SQL("CREATE ROLE {} {}").format(name, attributes))
            connection.execute(sql.SQL("ALTER ROLE {} {}").format(name, attributes))
            _take_powers(connection, role)
            self._set_instance_password(connection, tenant)
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(connection.info.dbname), name)
            )
        return role

    def rotate_instance_login(self, tenant: TenantId) -> None:
        """Give the instance's login another password. Raises NotFoundError where there is no such login."""
        with self.administration() as connection:
            if not role_exists(connection, instance_login_of(tenant)):
                raise NotFoundError(
                    "The tenant's instance has no login", where=tenant, remedy="Provision the instance first."
                )
            _count_rotation(connection, tenant)
            self._set_instance_password(connection, tenant)

    def drop_instance_login(self, tenant: TenantId) -> None:
        """End the instance's sessions and take its login away with all that was granted to it. None there: no error."""
        role = instance_login_of(tenant)
        name = sql.Identifier(role)
        with self.administration() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('tenant login'))")
            if not role_exists(connection, role):
                return
            connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(name))
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (role,))
            connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
            connection.execute(sql.SQL("DROP ROLE {}").format(name))

    def instance_conninfo(self, tenant: TenantId) -> str:
        """The DSN of the instance's login, as its password is now. A secret."""
        with self.platform() as connection:
            password = self._instance_password(tenant, _rotation(connection, tenant))
        return make_conninfo(
            self._dsn, user=instance_login_of(tenant), password=password, application_name=f"nerve {tenant}"
        )

    def instance_token(self, tenant: TenantId) -> str:
        """The token that the instance's callers show; it changes with the login's password. A secret."""
        with self.platform() as connection:
            return self.password_of(f"{instance_login_of(tenant)} token {_rotation(connection, tenant)}")

    def _instance_password(self, tenant: TenantId, rotation: int) -> str:
        return self.password_of(f"{instance_login_of(tenant)} {rotation}")

    def _set_instance_password(self, connection: Connection, tenant: TenantId) -> None:
        role = sql.Identifier(instance_login_of(tenant))
        password = sql.Literal(self._instance_password(tenant, _rotation(connection, tenant)))
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, password))

    @contextmanager
    def _as(self, role: str) -> Iterator[Connection]:
        connection = self._take(role)
        try:
            with connection.transaction(force_rollback=self._rolled_back):
                yield connection
        except BaseException:
            connection.close()
            raise
        self._give_back(role, connection)

    def _take(self, role: str) -> Connection:
        with self._lock:
            idle = self._idle.pop(role, None)
        if idle is not None:
            if _still_there(idle):
                return idle
            idle.close()
        return self._open(role)

    def _open(self, role: str) -> Connection:
        try:
            return psycopg.connect(
                make_conninfo(self._dsn, user=role, password=self.password_of(role)),
                autocommit=True,
                row_factory=dict_row,
            )
        except psycopg.OperationalError as error:
            if "authentication failed" in str(error) or "does not exist" in str(error):
                raise NotFoundError(
                    "There is no such login in the database",
                    where=role,
                    remedy="Register the tenant, or restore the keys folder that belongs to this database.",
                ) from None
            raise

    def _give_back(self, role: str, connection: Connection) -> None:
        with self._lock:
            spare = self._idle.pop(role, None)
            self._idle[role] = connection
            if len(self._idle) > IDLE_CONNECTIONS:
                _, oldest = self._idle.popitem(last=False)
                oldest.close()
        if spare is not None:
            spare.close()


def _still_there(connection: Connection) -> bool:
    """Whether an idle connection can be used. A server that ends one says so, and closes it: nothing is asked."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    return not poll.poll(0)


def is_wrong_password(error: psycopg.OperationalError) -> bool:
    """Whether a connection failed because the login's password is another one."""
    return any(words in str(error) for words in _WRONG_PASSWORD)


def is_refused(error: psycopg.OperationalError) -> bool:
    """Whether a connection failed because the server judged the login and turned it away.

    A server that is full, restarts or is away has judged nobody.
    """
    return any(words in str(error) for words in _REFUSED)


def later_clock(connection: Connection, now: datetime) -> datetime:
    """The later of our clock and the database's: what one of them takes to be over is not let in by the other."""
    row = connection.execute("SELECT greatest(%s::timestamptz, clock_timestamp()) AS now", (now,)).fetchone()
    assert row is not None
    later: datetime = row["now"]
    return later


def bound_waiting(connection: Connection) -> None:
    """Wait for no lock for long until the transaction ends: a tenant's login may hold one, and all others wait with us.

    What waits longer raises psycopg's LockNotAvailable.
    """
    connection.execute("SELECT set_config('lock_timeout', %s, true)", (LONGEST_LOCK_WAIT,))


def role_exists(connection: psycopg.Connection[Any], role: str) -> bool:
    """Whether the server has a role of that name."""
    return connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is not None


def _take_powers(connection: Connection, role: str) -> None:
    row = connection.execute("SELECT * FROM pg_roles WHERE rolname = %s", (role,)).fetchone() or {}
    if held := [taken for power, taken in _POWERS.items() if row.get(power)]:
        connection.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(role), sql.SQL(" ".join(held))))


def _rotation(connection: Connection, tenant: TenantId) -> int:
    """How often the password of the tenant's instance was changed."""
    row = connection.execute("SELECT rotation FROM runtime.instance_logins WHERE tenant_id = %s", (tenant,)).fetchone()
    return int(row["rotation"]) if row else 0


def _count_rotation(connection: Connection, tenant: TenantId) -> None:
    connection.execute(
        """
        INSERT INTO runtime.instance_logins AS login (tenant_id, rotation) VALUES (%s, 1)
        ON CONFLICT (tenant_id) DO UPDATE SET rotation = login.rotation + 1
        """,
        (tenant,),
    )


def instance_login_of(tenant: TenantId) -> str:
    """The name of the login role of a tenant's instance."""
    return f"nerve_{tenant_id(tenant).replace('-', '_')}"


def login_of(tenant: TenantId) -> str:
    """The name of a tenant's login role and schema."""
    return f"tenant_{tenant_id(tenant).replace('-', '_')}"

"""Who answers for the installation: appointed once by its operator, and holding the role in every new tenant.

Without them a tenant that its own people register would wait for signatures that nobody there can give.
"""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.persons import require_person_and_reason
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection


def appoint(runtime: Runtime, *, person: str, role: str, decided_by: str, reason: str) -> None:
    """Have a person hold a role of the platform in every tenant that is registered from now on. On the record.

    Doing it twice changes nothing; tenants that are there already are not touched. Raises InputError for another role,
    or without a person or a reason.
    """
    if role not in PLATFORM_ROLES:
        raise InputError(
            "That is no role of the platform", where="--role", remedy=f"One of {', '.join(PLATFORM_ROLES)}."
        )
    require_person_and_reason(person, reason, "An appointment names a person and a reason")
    with runtime.database.platform() as connection:
        _lock(connection)
        if (person, role) not in _appointed(connection):
            _add(connection, person, role, "appointed", decided_by, reason)


def dismiss(runtime: Runtime, *, person: str, role: str, decided_by: str, reason: str) -> None:
    """Let a person hold the role in no further tenant. On the record. What they hold by now they keep until revoked.

    Raises NotFoundError where they are not appointed, InputError without a reason.
    """
    if not reason.strip():
        raise InputError("A dismissal needs a reason", where="--reason")
    with runtime.database.platform() as connection:
        _lock(connection)
        if (person, role) not in _appointed(connection):
            raise NotFoundError(
                "The person is not appointed to this role",
                where="--person, --role",
                remedy="`tenant-pipeline role appointed` shows who is.",
            )
        _add(connection, person, role, "dismissed", decided_by, reason)


def appointments(runtime: Runtime) -> list[dict[str, Any]]:
    """Every appointment and dismissal, in order."""
    with runtime.database.platform() as connection:
        return connection.execute("SELECT * FROM runtime.platform_appointments ORDER BY number").fetchall()


def give_roles_in_new_tenant(runtime: Runtime, connection: Connection, tenant: TenantId) -> None:
    """Give everybody who is appointed their role, in the transaction that registers the tenant. Audited."""
    entries = []
    for person, role in sorted(_appointed(connection)):
        connection.execute(
            """
            INSERT INTO runtime.tenant_user_roles (tenant_id, person, role, granted_by)
            VALUES (%s, %s, %s, 'appointment')
            """,
            (tenant, person, role),
        )
        entries.append(AuditEntry(actor="appointment", action="role.granted", subject=person, details={"role": role}))
    runtime.audit.append(connection, tenant, entries)


def _appointed(connection: Connection) -> set[tuple[str, str]]:
    rows = connection.execute(
        """
        SELECT DISTINCT ON (person, role) person, role, step FROM runtime.platform_appointments
         ORDER BY person, role, number DESC
        """
    ).fetchall()
    return {(row["person"], row["role"]) for row in rows if row["step"] == "appointed"}


def _lock(connection: Connection) -> None:
    connection.execute("SELECT app.lock('appointments', '')")


def _add(connection: Connection, person: str, role: str, step: str, decided_by: str, reason: str) -> None:
    connection.execute(
        """
        INSERT INTO runtime.platform_appointments (person, role, step, decided_by, reason)
        VALUES (%s, %s, %s, %s, %s)
        """,
        (person, role, step, decided_by, reason),
    )

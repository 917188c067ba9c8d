"""Who may do what in a tenant. What nobody has been granted, nobody may do."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection


def grant_role(runtime: Runtime, tenant: TenantId, *, person: str, role: str, granted_by: str) -> None:
    """Give a person a role in a tenant. Doing it twice changes nothing. Audited.

    Raises NotFoundError for a tenant that is not there, InputError for a role that the contract does not know or for
    no person.
    """
    show_tenant(runtime, tenant)
    if role not in runtime.contracts.tenant_roles:
        raise InputError(
            "There is no such role", where="--role", remedy=f"One of {', '.join(runtime.contracts.tenant_roles)}."
        )
    if not person.strip():
        raise InputError("A role is given to a person", where="--person", remedy="Name the person.")
    with runtime.database.platform() as connection:
        granted = connection.execute(
            """
            INSERT INTO runtime.tenant_user_roles (tenant_id, person, role, granted_by) VALUES (%s, %s, %s, %s)
            ON CONFLICT DO NOTHING
            """,
            (tenant, person, role, granted_by),
        ).rowcount
        if granted:
            _audit(runtime, connection, tenant, granted_by, "role.granted", person, role)


def revoke_role(runtime: Runtime, tenant: TenantId, *, person: str, role: str, revoked_by: str) -> None:
    """Take a role from a person again. What they decided in it stands. Audited.

    Raises NotFoundError when they do not have it.
    """
    with runtime.database.platform() as connection:
        revoked = connection.execute(
            "DELETE FROM runtime.tenant_user_roles WHERE tenant_id = %s AND person = %s AND role = %s",
            (tenant, person, role),
        ).rowcount
        if not revoked:
            raise NotFoundError(
                "The person does not have this role in the tenant",
                where=f"{tenant}, --person, --role",
                remedy="`tenant-pipeline role list` shows who has which.",
            )
        _audit(runtime, connection, tenant, revoked_by, "role.revoked", person, role)


def list_roles(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    """Who has which role in a tenant, who granted it and when."""
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(
            """
            SELECT person, role, granted_by, granted_at FROM runtime.tenant_user_roles
             WHERE tenant_id = %s ORDER BY role, person
            """,
            (tenant,),
        ).fetchall()


def roles_held(connection: Connection, tenant: TenantId) -> dict[str, frozenset[str]]:
    """Which roles each person has in a tenant."""
    rows = connection.execute(
        "SELECT person, array_agg(role) AS roles FROM runtime.tenant_user_roles WHERE tenant_id = %s GROUP BY person",
        (tenant,),
    ).fetchall()
    return {row["person"]: frozenset(row["roles"]) for row in rows}


def governed_tenants(
    runtime: Runtime, person: str, *, limit: int, after: TenantId | None = None
) -> list[dict[str, Any]]:
    """The tenants in which the person holds a role of the platform: their registry rows with those `roles`, by id.

    At most `limit`, with ids that follow on `after`.
    """
    with runtime.database.platform() as connection:
        return connection.execute(
            """
            SELECT tenant.id, tenant.name, tenant.tier, tenant.status, tenant.created_at, tenant.go_live_at, held.roles
              FROM runtime.tenants AS tenant
              JOIN (SELECT tenant_id, array_agg(role ORDER BY role) AS roles FROM runtime.tenant_user_roles
                     WHERE person = %(person)s AND role = ANY(%(roles)s) GROUP BY tenant_id) AS held
                ON held.tenant_id = tenant.id
             WHERE %(after)s::text IS NULL OR tenant.id > %(after)s
             ORDER BY tenant.id LIMIT %(limit)s
            """,
            {"person": person, "roles": list(PLATFORM_ROLES), "after": after, "limit": limit},
        ).fetchall()


def require_role(connection: Connection, tenant: TenantId, person: str, role: str, allowed: Collection[str]) -> None:
    """Return when the role is one of `allowed` and the person has it in the tenant.

    Asked in the transaction of the act itself. Raises NotAllowedError otherwise.
    """
    if role not in allowed:
        raise NotAllowedError(
            f"The role {role} may not do this", where="--role", remedy=f"One of {', '.join(sorted(allowed))} may."
        )
    held = connection.execute(
        "SELECT FROM runtime.tenant_user_roles WHERE tenant_id = %s AND person = %s AND role = %s",
        (tenant, person, role),
    ).fetchone()
    if held is None:
        raise NotAllowedError(
            f"The person does not have the role {role} in this tenant",
            where=f"{tenant}, --person",
            remedy="Have it granted: `tenant-pipeline role grant`.",
        )


def _audit(
    runtime: Runtime, connection: Connection, tenant: TenantId, actor: str, action: str, person: str, role: str
) -> None:
    entry = AuditEntry(actor=actor, action=action, subject=person, details={"role": role})
    runtime.audit.append(connection, tenant, [entry])

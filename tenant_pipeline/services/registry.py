"""The tenant registry: who is here, since when, in which state."""

from __future__ import annotations

from typing import Any

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import tenant_state
from tenant_pipeline.services.appointments import give_roles_in_new_tenant
from tenant_pipeline.services.approvals.records import lock_approvals
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.templates.publishing import keep_shipped
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

LANGUAGES = ("th", "en", "zh")


def register_tenant(
    runtime: Runtime,
    tenant: TenantId,
    *,
    name: dict[str, str],
    domain: str,
    tier: str,
    actor: str,
    pdpa_agreement_ref: str | None = None,
    admin: str | None = None,
) -> dict[str, Any]:
    """Register a tenant as a draft, with its own login, schema and keys; return its registry row.

    `name` holds the name in Thai, English and Chinese; `admin` is made its first admin, and whoever answers for the
    installation holds their role in it from the start. Killed in the middle, it can be run again: the row comes
    last. Raises InputError when the id is taken, a name is missing or the agreement's reference is blank, ContractError
    where another template is published under the contract's version.
    """
    _require_languages(name)
    _require_reference(pdpa_agreement_ref)
    with runtime.database.platform() as connection:
        if connection.execute("SELECT FROM runtime.tenants WHERE id = %s", (tenant,)).fetchone() is not None:
            raise _taken(tenant)
    database_name = runtime.database.create_tenant_login(tenant)
    runtime.keys.raw_zone_key(tenant)
    runtime.keys.digest_key(tenant)
    try:
        with runtime.database.platform() as connection:
            keep_shipped(runtime, connection)
            connection.execute(
                """
                INSERT INTO runtime.tenants
                       (id, name, domain, tier, status, db_schema_name, k8s_namespace, template_version,
                        pdpa_agreement_ref)
                VALUES (%s, %s, %s, %s, 'draft', %s, %s, %s, %s)
                """,
                (
                    tenant,
                    Jsonb(name),
                    domain,
                    tier,
                    database_name,
                    f"tenant-{tenant}",
                    runtime.contracts.template_version,
                    pdpa_agreement_ref,
                ),
            )
            runtime.audit.append(
                connection,
                tenant,
                [
                    AuditEntry(
                        actor=actor,
                        action="tenant.register",
                        subject=tenant,
                        details={"status": "draft", "tier": tier, "pdpa_agreement_ref": pdpa_agreement_ref},
                    )
                ],
            )
            give_roles_in_new_tenant(runtime, connection, tenant)
            if admin is not None:
                _make_admin(runtime, connection, tenant, admin)
    except UniqueViolation:
        raise _taken(tenant) from None
    return show_tenant(runtime, tenant)


def _make_admin(runtime: Runtime, connection: Connection, tenant: TenantId, person: str) -> None:
    connection.execute(
        """
        INSERT INTO runtime.tenant_user_roles (tenant_id, person, role, granted_by)
        VALUES (%s, %s, 'tenant-admin', %s)
        """,
        (tenant, person, person),
    )
    entry = AuditEntry(actor=person, action="role.granted", subject=person, details={"role": "tenant-admin"})
    runtime.audit.append(connection, tenant, [entry])


def _taken(tenant: TenantId) -> InputError:
    return InputError(
        f"The tenant id {tenant} is taken", where="tenant id", remedy="Choose another, or use the tenant that is there."
    )


def list_tenants(runtime: Runtime) -> list[dict[str, Any]]:
    """Every tenant's registry row with its count of sources, by id."""
    with runtime.database.platform() as connection:
        return connection.execute(
            """
            SELECT tenant.*,
                   (SELECT count(*) FROM runtime.tenant_sources AS source WHERE source.tenant_id = tenant.id) AS sources
              FROM runtime.tenants AS tenant
             ORDER BY tenant.id
            """
        ).fetchall()


def show_tenant(runtime: Runtime, tenant: TenantId) -> dict[str, Any]:
    """One tenant's registry row. Raises NotFoundError when there is no such tenant."""
    with runtime.database.platform() as connection:
        row = connection.execute("SELECT * FROM runtime.tenants WHERE id = %s", (tenant,)).fetchone()
    if row is None:
        raise NotFoundError(
            f"There is no tenant {tenant}", where="--tenant", remedy="`tenant-pipeline tenant list` shows them."
        )
    return row


def require_in_service(runtime: Runtime, tenant: TenantId) -> None:
    """Return when the tenant takes in and publishes.

    Raises KeysDestroyedError where it is erased, whatever its state, and StateForbidsError where it is suspended or
    archived.
    """
    runtime.keys.require_not_destroyed(tenant)
    with runtime.database.platform() as connection:
        tenant_state.require_in_service(connection, tenant)


def update_tenant(
    runtime: Runtime,
    tenant: TenantId,
    *,
    person: str,
    name: dict[str, str] | None = None,
    domain: str | None = None,
    tier: str | None = None,
    pdpa_agreement_ref: str | None = None,
) -> dict[str, Any]:
    """Change what is known about a tenant; None leaves a field as it is. Returns its registry row. Audited.

    The id, and the names that are made from it, never change; nor does the name in a language that `name` leaves out.
    With its first data-handling agreement, what was stopped is in line again. Raises NotFoundError, or InputError for
    nothing to change, a name that is blank or in another language, or a blank agreement.
    """
    changes = {"name": name or None, "domain": domain, "tier": tier, "pdpa_agreement_ref": pdpa_agreement_ref}
    given = {field: value for field, value in changes.items() if value is not None}
    if not given:
        raise InputError("There is nothing to change", where=tenant, remedy="Give a name, domain, tier or agreement.")
    if name:
        _require_some_languages(name)
    _require_reference(pdpa_agreement_ref)
    with runtime.database.platform() as connection:
        lock_approvals(connection, tenant)
        before = show_tenant(runtime, tenant)
        connection.execute(
            """
            UPDATE runtime.tenants
               SET name = name || coalesce(%s, '{}'::jsonb), domain = coalesce(%s, domain), tier = coalesce(%s, tier),
                   pdpa_agreement_ref = coalesce(%s, pdpa_agreement_ref)
             WHERE id = %s
            """,
            (Jsonb(name) if name else None, domain, tier, pdpa_agreement_ref, tenant),
        )
        if pdpa_agreement_ref and not (before["pdpa_agreement_ref"] or "").strip():
            # What is assembled went through without; what a run has in hand may have been judged before it was there.
            connection.execute(
                """
                UPDATE runtime.tenant_sources SET ingest_status = 'waiting', queued_at = clock_timestamp()
                 WHERE tenant_id = %s AND ingest_status IN ('stopped', 'running')
                """,
                (tenant,),
            )
        if name:
            given["name"] = before["name"] | name
        details = {field: {"before": before[field], "after": value} for field, value in given.items()}
        entry = AuditEntry(actor=person, action="tenant.update", subject=tenant, details=details)
        runtime.audit.append(connection, tenant, [entry])
    return show_tenant(runtime, tenant)


def _require_languages(name: dict[str, str]) -> None:
    missing = [language for language in LANGUAGES if not name.get(language, "").strip()]
    if missing:
        raise InputError(
            f"The tenant's name is missing in {', '.join(missing)}",
            where="--name-" + missing[0],
            remedy="Give the name in Thai, English and Chinese.",
        )


def _require_some_languages(name: dict[str, str]) -> None:
    wrong = [language for language, said in name.items() if language not in LANGUAGES or not said.strip()]
    if wrong:
        raise InputError(
            f"The tenant's name is blank, or in another language: {', '.join(wrong)}",
            where="--name-" + wrong[0],
            remedy="Give the name in Thai, English or Chinese.",
        )


def _require_reference(agreement: str | None) -> None:
    if agreement is not None and not agreement.strip():
        raise InputError(
            "A data-handling agreement has a reference",
            where="--pdpa-agreement",
            remedy="Give it as the agreement has it, such as its number.",
        )

"""A tenant's own values of flags: set and cleared by people in granted roles, for a time or for good, on the record.

What was set for a time is over as soon as either our clock, which says `now`, or the database's is past it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.feature_flags.registry import FlagValue, flag_named, flags
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage import serving
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection, later_clock, login_of


def set_flag(
    runtime: Runtime,
    tenant: TenantId,
    name: str,
    value: Any,
    *,
    person: str,
    role: str,
    reason: str,
    expires_at: datetime | None = None,
) -> None:
    """Give a flag a value of this tenant's own. Audited.

    Raises InputError for no such flag, a value of another type, no reason or an expiry that has passed, NotAllowedError
    without a role that owns the flag.
    """
    checked = flag_named(name).checked(value)
    _append(runtime, tenant, name, "set", checked, person, role, reason, expires_at)


def clear_flag(runtime: Runtime, tenant: TenantId, name: str, *, person: str, role: str, reason: str) -> None:
    """Let the flag's default hold again. Audited. Raises as `set_flag`."""
    flag_named(name)
    _append(runtime, tenant, name, "clear", None, person, role, reason, None)


def list_flags(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    """Every flag as it holds for the tenant now, with its default, its bounds and who may override it.

    `own` says whether the value is the tenant's own, `until` until when. Raises NotFoundError for no such tenant.
    """
    show_tenant(runtime, tenant)
    now = runtime.now()
    with runtime.database.platform() as connection:
        own = _own_values(connection, tenant, now)
    return [
        {
            "flag": name,
            "type": flag.type,
            "value": own[name]["value"] if name in own else flag.default,
            "own": name in own,
            "until": own[name]["expires_at"] if name in own else None,
            "default": flag.default,
            "minimum": flag.minimum,
            "maximum": flag.maximum,
            "owners": list(flag.owners),
            "description": flag.description,
        }
        for name, flag in flags().items()
    ]


def values_of(connection: Connection, tenant: TenantId, now: datetime) -> dict[str, FlagValue]:
    """Every flag as it holds for the tenant at `now`: its own value, else the default."""
    own = _own_values(connection, tenant, now)
    return {name: own[name]["value"] if name in own else flag.default for name, flag in flags().items()}


def _own_values(connection: Connection, tenant: TenantId, now: datetime) -> dict[str, dict[str, Any]]:
    """The rows of the overrides that hold at `now`, by flag."""
    rows = connection.execute(
        """
        SELECT flag, value, expires_at
          FROM (SELECT DISTINCT ON (flag) flag, act, value, expires_at FROM runtime.flag_overrides
                 WHERE tenant_id = %(tenant)s ORDER BY flag, number DESC) AS last
         WHERE act = 'set' AND (expires_at IS NULL OR expires_at > greatest(%(now)s, clock_timestamp()))
        """,
        {"tenant": tenant, "now": now},
    ).fetchall()
    return {row["flag"]: row for row in rows}


class SwitchedOffError(InputError):
    """A flag of the tenant's switches it off."""

    code = "switched-off"


def require_on(connection: Connection, tenant: TenantId, name: str, now: datetime) -> None:
    """Return where a boolean flag is on for the tenant, as the transaction reads it. Raises SwitchedOffError.

    A deed asks here, in its own transaction; the OpenFeature client may answer with what held two seconds ago.
    """
    if not values_of(connection, tenant, now)[name]:
        raise SwitchedOffError(
            f"{name} is switched off for this tenant",
            where=tenant,
            remedy=f"`tenant-pipeline flag history` says by whom; {' or '.join(flag_named(name).owners)} may clear it.",
        )


def switched_off(connection: Connection, name: str, now: datetime) -> list[TenantId]:
    """The tenants for which a flag that is on by default is off at `now`."""
    rows = connection.execute(
        """
        SELECT tenant_id
          FROM (SELECT DISTINCT ON (tenant_id) tenant_id, act, value, expires_at FROM runtime.flag_overrides
                 WHERE flag = %(flag)s ORDER BY tenant_id, number DESC) AS last
         WHERE act = 'set' AND value = 'false'
           AND (expires_at IS NULL OR expires_at > greatest(%(now)s, clock_timestamp()))
        """,
        {"flag": name, "now": now},
    ).fetchall()
    return [TenantId(row["tenant_id"]) for row in rows]


def history_of(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    """Everything that was ever set and cleared, in order."""
    with runtime.database.platform() as connection:
        return connection.execute(
            "SELECT * FROM runtime.flag_overrides WHERE tenant_id = %s ORDER BY number", (tenant,)
        ).fetchall()


def hand_to_instance(runtime: Runtime, connection: Connection, tenant: TenantId) -> None:
    """Write the flags where the tenant's instance reads them, if it has such a place by now."""
    schema = login_of(tenant)
    if serving.is_there(connection, schema):
        serving.write_flags(connection, schema, values_of(connection, tenant, runtime.now()))


def end_expired(runtime: Runtime, since: datetime | None, now: datetime) -> list[TenantId]:
    """Tell the instances whose overrides ended after `since`, up to `now`; without `since`, ever. Their tenants."""
    with runtime.database.platform() as connection:
        rows = connection.execute(
            """
            SELECT DISTINCT tenant_id FROM runtime.flag_overrides
             WHERE expires_at <= greatest(%(now)s, clock_timestamp())
               AND (%(since)s::timestamptz IS NULL OR expires_at > %(since)s)
             ORDER BY tenant_id
            """,
            {"now": now, "since": since},
        ).fetchall()
        tenants = [TenantId(row["tenant_id"]) for row in rows]
        for tenant in tenants:
            hand_to_instance(runtime, connection, tenant)
    return tenants


def _append(
    runtime: Runtime,
    tenant: TenantId,
    name: str,
    act: str,
    value: FlagValue | None,
    person: str,
    role: str,
    reason: str,
    expires_at: datetime | None,
) -> None:
    if not reason.strip():
        raise InputError("Changing a flag needs a reason", where="--reason")
    show_tenant(runtime, tenant)
    with runtime.database.platform() as connection:
        if expires_at is not None and (
            expires_at.tzinfo is None or expires_at <= later_clock(connection, runtime.now())
        ):
            raise InputError("The override would have expired already", where="--until", remedy="Give a time to come.")
        require_role(connection, tenant, person, role, flag_named(name).owners)
        connection.execute(
            """
            INSERT INTO runtime.flag_overrides (tenant_id, flag, act, value, person, role, reason, expires_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (tenant, name, act, None if value is None else Jsonb(value), person, role, reason, expires_at),
        )
        details = {"value": value, "role": role, "reason": reason}
        entry = AuditEntry(actor=person, action=f"flag.{act}", subject=name, details=details)
        runtime.audit.append(connection, tenant, [entry])
        hand_to_instance(runtime, connection, tenant)

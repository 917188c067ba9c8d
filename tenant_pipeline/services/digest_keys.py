"""A tenant's digest keys: a new version, the old ones kept to tell what they stand for, until they are destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.keys import DigestKey
from tenant_pipeline.core.persons import require_person_and_reason
from tenant_pipeline.core.pseudonym import pseudonym
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.pii.canonical import canonical_value
from tenant_pipeline.services import registry
from tenant_pipeline.services.gates import OVERRIDE_ROLES
from tenant_pipeline.services.retention.holds import keep_unheld
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_queue import put_in_line
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.storage.keys import digest_key_ids

DESTROYED_SINCE = "The key was destroyed after the backup was taken"


@dataclass(frozen=True)
class KeyState:
    """A digest key that is kept: its version, its id, and whether it is the one in use."""

    version: int
    key_id: str
    in_use: bool

    def as_json(self) -> dict[str, Any]:
        """The key as the command line and the API give it."""
        return {"version": self.version, "key_id": self.key_id, "in_use": self.in_use}


def list_keys(runtime: Runtime, tenant: TenantId) -> list[KeyState]:
    """The digest keys of a tenant that are kept, oldest first. Raises NotFoundError for no such tenant."""
    registry.show_tenant(runtime, tenant)
    kept = runtime.keys.digest_keys(tenant)
    return [KeyState(version, key.key_id, version == max(kept)) for version, key in kept.items()]


def rotate(runtime: Runtime, tenant: TenantId, *, person: str, role: str, reason: str) -> KeyState:
    """Give a tenant a new digest key and put its sources in line, so that they are screened anew under it. Audited.

    Killed in the middle, it is run again: it then finishes what was asked for before, and asks for nothing more.
    Raises NotAllowedError for a person without the role, InputError for no person or reason, NotFoundError for no such
    tenant.
    """
    require_person_and_reason(person, reason)
    registry.show_tenant(runtime, tenant)
    steps = (person, role, reason)
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, OVERRIDE_ROLES)
        connection.execute("SELECT app.lock('digest key of', %s)", (tenant,))
        current = list_keys(runtime, tenant)[-1]
        version = _unfinished(connection, tenant)
        if version is None:
            version = current.version + 1
            if _step(connection, tenant, version, "asked", current.key_id, *steps):
                details = {"role": role, "reason": reason, "from_key": current.key_id, "version": version}
                _note(runtime, connection, tenant, person, "privacy.rotate-key", version, details)
    with runtime.database.platform() as connection:
        made = runtime.keys.make_digest_key(tenant, version)
        if _step(connection, tenant, version, "made", made.key_id, *steps):
            put_in_line(connection, tenant)
            details = {"role": role, "key_id": made.key_id, "version": version}
            _note(runtime, connection, tenant, person, "privacy.key-made", version, details)
    return KeyState(version, made.key_id, True)


def destroy(runtime: Runtime, tenant: TenantId, version: int, *, person: str, role: str, reason: str) -> None:
    """Destroy a digest key that is no longer in use: what its pseudonyms stand for can never be told again. Audited.

    The intent is in the audit log before the key is gone; run again, it destroys what is still there. Raises
    NotAllowedError for a person without the role, HeldError while a legal hold stands, InputError for the key in use or
    for no person or reason, NotFoundError for no such key.
    """
    require_person_and_reason(person, reason)
    kept = {key.version: key for key in list_keys(runtime, tenant)}
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, OVERRIDE_ROLES)
        keep_unheld(connection, tenant)
        destroyed = connection.execute(
            "SELECT 1 FROM runtime.digest_key_steps WHERE tenant_id = %s AND version = %s AND step = 'destroyed'",
            (tenant, version),
        ).fetchone()
        if version not in kept and destroyed is None:
            raise NotFoundError(
                "The tenant has no such digest key", where=tenant, remedy="`tenant-pipeline privacy show` lists them."
            )
        if version in kept and kept[version].in_use:
            raise InputError(
                "The digest key is in use", where=tenant, remedy="Rotate first: `tenant-pipeline privacy rotate-key`."
            )
        if version in kept and _step(
            connection, tenant, version, "destroyed", kept[version].key_id, person, role, reason
        ):
            details = {"role": role, "reason": reason, "key_id": kept[version].key_id, "version": version}
            _note(runtime, connection, tenant, person, "privacy.destroy-key", version, details)
    with runtime.database.platform() as connection:
        keep_unheld(connection, tenant)
        runtime.keys.destroy_digest_key(tenant, version)


def destroyed_keys(runtime: Runtime) -> list[tuple[TenantId, str]]:
    """Every digest key that was destroyed, whose it was and its id; none that is still there, under a hold."""
    with runtime.database.platform() as connection:
        rows = connection.execute(
            """
            SELECT tenant_id, key_id FROM runtime.digest_key_steps
             WHERE step = 'destroyed' AND key_id ~ '^k[0-9a-f]+$'
            """
        ).fetchall()
    noted = [(TenantId(row["tenant_id"]), str(row["key_id"])) for row in rows]
    kept = {tenant: set(digest_key_ids(runtime.keys.keys_of(tenant)).values()) for tenant, _ in noted}
    return [(tenant, key_id) for tenant, key_id in noted if key_id not in kept[tenant]]


def destroy_again(runtime: Runtime, tenant: TenantId, version: int, key_id: str, *, person: str) -> None:
    """Destroy a digest key that a backup from before its destruction brought back, and put that on record. Audited.

    Doing it twice is harmless. Raises ValueError for the key in use.
    """
    runtime.keys.destroy_digest_key(tenant, version)
    role = OVERRIDE_ROLES[0]
    with runtime.database.platform() as connection:
        if _step(connection, tenant, version, "destroyed", key_id, person, role, DESTROYED_SINCE):
            details = {"role": role, "reason": DESTROYED_SINCE, "key_id": key_id, "version": version}
            _note(runtime, connection, tenant, person, "privacy.destroy-key", version, details)


def pseudonyms_of(
    runtime: Runtime, tenant: TenantId, entity_type: str, value: str, *, person: str, reason: str
) -> dict[str, str]:
    """By key id, the pseudonym that stands for a value under each digest key that is kept. Audited, without the value.

    This is how a person's request to see or erase what is held is answered: the value is theirs to give, and the
    statements that hold any of these pseudonyms are about it. Raises InputError for no person or reason, and
    NotFoundError for no such tenant.
    """
    require_person_and_reason(person, reason)
    registry.show_tenant(runtime, tenant)
    keys: list[DigestKey] = list(runtime.keys.digest_keys(tenant).values())
    canonical = canonical_value(entity_type, value)
    with runtime.database.platform() as connection:
        details = {"reason": reason, "entity_type": entity_type}
        entry = AuditEntry(actor=person, action="privacy.find", subject=tenant, details=details)
        runtime.audit.append(connection, tenant, [entry])
    return {key.key_id: pseudonym(entity_type, canonical, key) for key in keys}


def _unfinished(connection: Connection, tenant: TenantId) -> int | None:
    """The version that was asked for and not noted as made."""
    row = connection.execute(
        """
        SELECT asked.version FROM runtime.digest_key_steps AS asked
         WHERE asked.tenant_id = %(tenant)s AND asked.step = 'asked' AND NOT EXISTS (
               SELECT FROM runtime.digest_key_steps AS made
                WHERE made.tenant_id = %(tenant)s AND made.version = asked.version AND made.step = 'made')
        """,
        {"tenant": tenant},
    ).fetchone()
    return int(row["version"]) if row else None


def _step(
    connection: Connection, tenant: TenantId, version: int, step: str, key_id: str, person: str, role: str, reason: str
) -> bool:
    """Note a step; returns whether it had not been noted before."""
    return bool(
        connection.execute(
            """
            INSERT INTO runtime.digest_key_steps (tenant_id, version, step, key_id, person, role, reason)
            VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            (tenant, version, step, key_id, person, role, reason),
        ).rowcount
    )


def _note(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    person: str,
    action: str,
    version: int,
    details: dict[str, Any],
) -> None:
    entry = AuditEntry(actor=person, action=action, subject=f"digest-key:{version}", details=details)
    runtime.audit.append(connection, tenant, [entry])

"""Keys of people's own: whoever has one signs each decision with it, and the signature is verified again on use."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tenant_pipeline.core.approval.signature import SignedDecision, bytes_to_sign
from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.approvals.refusals import SignatureRefusedError
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection


def add_person_key(runtime: Runtime, tenant: TenantId, *, person: str, public_key: bytes, added_by: str) -> str:
    """Take on a person's Ed25519 public key (32 bytes, RFC 8032) and return its id, the SHA-256 of the key. Audited.

    From then on their decisions in this tenant count only when signed, also when the key is ended. Raises InputError
    for what is no such key, or one that was ended.
    """
    show_tenant(runtime, tenant)
    try:
        Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError:
        raise InputError(
            "That is no Ed25519 public key", where="--public-key", remedy="Give its 32 bytes in base64."
        ) from None
    key_id = hashlib.sha256(public_key).hexdigest()
    with runtime.database.platform() as connection:
        steps = _steps(connection, tenant, person, key_id)
        if "ended" in steps:
            raise InputError("This key was ended", where="--public-key", remedy="Make another.")
        if not steps:
            _append(runtime, connection, tenant, person, key_id, "added", public_key, added_by)
    return key_id


def end_person_key(runtime: Runtime, tenant: TenantId, *, person: str, key_id: str, ended_by: str) -> None:
    """Let a key count no longer: approvals that rest on it and were not used yet fall. Audited.

    Raises NotFoundError where the person has no such key in use.
    """
    with runtime.database.platform() as connection:
        row = connection.execute(
            """
            SELECT public_key FROM runtime.person_keys
             WHERE tenant_id = %s AND person = %s AND key_id = %s AND step = 'added'
            """,
            (tenant, person, key_id),
        ).fetchone()
        if row is None or "ended" in _steps(connection, tenant, person, key_id):
            raise NotFoundError("The person has no such key in use", where=f"{tenant}, --key")
        _append(runtime, connection, tenant, person, key_id, "ended", row["public_key"], ended_by)


def keys_in_use(connection: Connection, tenant: TenantId, person: str) -> dict[str, bytes]:
    """The person's public keys that count now, by id."""
    rows = connection.execute(
        """
        SELECT key_id, public_key FROM runtime.person_keys AS added
         WHERE tenant_id = %s AND person = %s AND step = 'added'
           AND NOT EXISTS (SELECT FROM runtime.person_keys AS ended
                            WHERE ended.tenant_id = added.tenant_id AND ended.person = added.person
                              AND ended.key_id = added.key_id AND ended.step = 'ended')
        """,
        (tenant, person),
    ).fetchall()
    return {row["key_id"]: bytes(row["public_key"]) for row in rows}


def verified_key(
    connection: Connection, decision: SignedDecision, signature: bytes | None, others: Sequence[dict[str, Any]] = ()
) -> str | None:
    """The id of the key that signed the decision, or None for a person who never had a key and did not sign.

    Raises SignatureRefusedError where a signature is missing, is not over exactly this decision, or was seen before.
    """
    tenant = TenantId(decision.tenant)
    keys = keys_in_use(connection, tenant, decision.person)
    where = f"request {decision.request}, {decision.role}"
    if signature is None:
        if not keys and not _had_a_key(connection, tenant, decision.person):
            return None
        sign = "Sign the bytes that `tenant-pipeline approval bytes` prints."
        raise SignatureRefusedError(
            "This person signs with a key of their own, and the decision is not signed",
            where=where,
            remedy=sign if keys else f"Their key was ended: have another added (`approval key add`). {sign}",
        )
    if any(each["signature"] is not None and bytes(each["signature"]) == signature for each in others):
        raise SignatureRefusedError("The signature was used before", where=where)
    for key_id, public_key in keys.items():
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, bytes_to_sign(decision))
        except InvalidSignature:
            continue
        return key_id
    raise SignatureRefusedError(
        "The signature is not one of this person's keys over this decision",
        where=where,
        remedy="Sign exactly what is decided, with a key that is in use.",
    )


def _had_a_key(connection: Connection, tenant: TenantId, person: str) -> bool:
    query = "SELECT FROM runtime.person_keys WHERE tenant_id = %s AND person = %s LIMIT 1"
    return connection.execute(query, (tenant, person)).fetchone() is not None


def _steps(connection: Connection, tenant: TenantId, person: str, key_id: str) -> set[str]:
    rows = connection.execute(
        "SELECT step FROM runtime.person_keys WHERE tenant_id = %s AND person = %s AND key_id = %s",
        (tenant, person, key_id),
    ).fetchall()
    return {row["step"] for row in rows}


def _append(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    person: str,
    key_id: str,
    step: str,
    public_key: bytes,
    by: str,
) -> None:
    connection.execute(
        """
        INSERT INTO runtime.person_keys (tenant_id, person, key_id, step, algorithm, public_key, done_by)
        VALUES (%s, %s, %s, %s, 'ed25519', %s, %s)
        """,
        (tenant, person, key_id, step, public_key, by),
    )
    entry = AuditEntry(actor=by, action=f"person-key.{step}", subject=person, details={"key_id": key_id})
    runtime.audit.append(connection, tenant, [entry])

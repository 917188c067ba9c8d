"""Declare what a source's fields hold, sign it, revoke it: each with a named person, a reason and an audit entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.core.errors import InputError, NotAllowedError
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.persons import is_same_person, require_person_and_reason
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.pii.declarations import CONTACT_TYPES, DeclaredClass
from tenant_pipeline.pii.policy import Action
from tenant_pipeline.pii.special_categories import SPECIAL_CATEGORY, SpecialCategory
from tenant_pipeline.services import registry, sources
from tenant_pipeline.services.declared_privacy import (
    SIGNED,
    STRICTER_ONLY,
    WAITING,
    DeclarationRecord,
    record,
    records,
)
from tenant_pipeline.services.gates import OVERRIDE_ROLES
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_queue import put_in_line
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection, later_clock

REVOKING_ROLES = ("tenant-admin", *OVERRIDE_ROLES)


def list_declarations(runtime: Runtime, tenant: TenantId) -> list[DeclarationRecord]:
    """Every declaration of a tenant, in the order in which they were made. Raises NotFoundError for no such tenant."""
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        return records(connection, tenant)


def declare(
    runtime: Runtime,
    tenant: TenantId,
    declared: DeclaredClass,
    *,
    person: str,
    reason: str,
    source: SourceId | None = None,
    origin: Origin | None = None,
    table: str = "",
    field: str = "",
    property_: str = "",
    entity_types: tuple[str, ...] = (),
    action: Action | None = None,
    category: SpecialCategory | None = None,
    expires_at: datetime | None = None,
) -> DeclarationRecord:
    """Declare something of a field. Audited; declared again in the same words, it is the declaration that is there.

    What makes the policy looser waits for a signature; what makes it stricter holds at once, and the sources
    concerned are put in line. Raises InputError for what is missing, contradictory or not to be declared, and
    NotFoundError for no such tenant or source.
    """
    require_person_and_reason(person, reason)
    _check_scope(source, origin, field, property_)
    _check_class(declared, entity_types, action, category, field or property_, source or origin)
    now = runtime.now()
    if property_:
        runtime.contracts.vocabulary.property(property_)
    registry.show_tenant(runtime, tenant)
    with runtime.database.platform() as connection:
        if source is not None:
            sources.get_source(connection, tenant, source)
        if expires_at is not None and (expires_at.tzinfo is None or expires_at <= later_clock(connection, now)):
            raise InputError(
                "The declaration would have expired already", where="--until", remedy="Give a time to come."
            )
        before = records(connection, tenant)
        said = {
            "class": str(declared), "source": source, "origin": str(origin or ""), "table": table, "field": field,
            "property": property_, "entity_types": sorted(set(entity_types)), "action": str(action or ""),
            "category": str(category or ""), "reason": reason, "requested_by": person,
            "expires_at": expires_at.isoformat() if expires_at else None,
        }  # fmt: skip
        identifier = _identifier(said, before)
        inserted = connection.execute(
            """
            INSERT INTO runtime.privacy_declarations
                   (tenant_id, id, declared_class, source_id, origin, table_name, field, property, entity_types, action,
                    category, reason, requested_by, expires_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            (
                tenant, identifier, str(declared), source, str(origin) if origin else None, table, field, property_,
                said["entity_types"], said["action"], said["category"], reason, person, expires_at,
            ),
        ).rowcount  # fmt: skip
        made = record(connection, tenant, identifier)
        if inserted:
            _put_in_line(connection, made, tenant, changed=made.state(now) == STRICTER_ONLY)
            _note(runtime, connection, tenant, made, person, "privacy.declare", said)
    return made


def sign(
    runtime: Runtime, tenant: TenantId, declaration: str, *, person: str, role: str, reason: str
) -> DeclarationRecord:
    """Sign a declaration, which brings it into force and its sources in line. Audited; signed already, nothing is done.

    Raises NotAllowedError for a person without the role and for the one who asked for it, InputError for a declaration
    that has ended, NotFoundError for none.
    """
    require_person_and_reason(person, reason)
    registry.show_tenant(runtime, tenant)
    with runtime.database.platform() as connection:
        asked = record(connection, tenant, declaration)
        require_role(connection, tenant, person, role, OVERRIDE_ROLES)
        if is_same_person(person, asked.requested_by):
            raise NotAllowedError(
                "Who asked for a declaration may not sign it", where="--person", remedy="Somebody else has to answer."
            )
        state = asked.state(runtime.now())
        if state not in (WAITING, STRICTER_ONLY, SIGNED):
            raise InputError(f"The declaration is {state}", where=declaration, remedy="Declare it anew.")
        return _take_step(runtime, connection, tenant, asked, "signed", person, role, reason)


def revoke(
    runtime: Runtime, tenant: TenantId, declaration: str, *, person: str, role: str, reason: str
) -> DeclarationRecord:
    """End a declaration for good and put its sources in line: the contract's policy holds again. Audited.

    Anybody who answers for the tenant's data may. Revoked already, nothing is done. Raises NotAllowedError for a person
    without the role, InputError for no person or reason, and NotFoundError for no such declaration.
    """
    require_person_and_reason(person, reason)
    registry.show_tenant(runtime, tenant)
    with runtime.database.platform() as connection:
        asked = record(connection, tenant, declaration)
        require_role(connection, tenant, person, role, REVOKING_ROLES)
        return _take_step(runtime, connection, tenant, asked, "revoked", person, role, reason)


def queue_expired(runtime: Runtime) -> int:
    """Put every source in line that went through, or was stopped, while a declaration on it was in force that has
    expired since.

    Returns how many. A source is put in line once for each expiry, one of a tenant out of service when the tenant is
    back, and one that a run has in hand by its next stage, or here once it is through; its next run screens it without
    the declaration. By the database's clock, which also says since when a source is in line: with another it would be
    put there over again.
    """
    with runtime.database.platform() as connection:
        return connection.execute(
            """
            UPDATE runtime.tenant_sources AS source SET ingest_status = 'waiting', queued_at = clock_timestamp()
              FROM runtime.privacy_declarations AS declared
             WHERE source.tenant_id = declared.tenant_id AND source.ingest_status IN ('assembled', 'stopped')
               AND (declared.source_id IS NULL OR declared.source_id = source.id)
               AND (declared.origin IS NULL OR declared.origin = source.origin)
               AND declared.expires_at <= clock_timestamp() AND source.queued_at < declared.expires_at
               AND source.tenant_id NOT IN (SELECT id FROM runtime.tenants WHERE status IN ('suspended', 'archived'))
            """
        ).rowcount


def _take_step(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    asked: DeclarationRecord,
    step: str,
    person: str,
    role: str,
    reason: str,
) -> DeclarationRecord:
    inserted = connection.execute(
        """
        INSERT INTO runtime.privacy_declaration_steps
               (tenant_id, declaration_id, step, requested_by, person, role, reason)
        VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        (tenant, asked.id, step, asked.requested_by, person, role, reason),
    ).rowcount
    if inserted:
        held = asked.state(runtime.now()) in (SIGNED, STRICTER_ONLY)
        _put_in_line(connection, asked, tenant, changed=step == "signed" or held)
        details = {"class": str(asked.declared), "role": role, "reason": reason}
        action = "privacy.sign" if step == "signed" else "privacy.revoke"
        _note(runtime, connection, tenant, asked, person, action, details)
    return record(connection, tenant, asked.id)


def _put_in_line(connection: Connection, made: DeclarationRecord, tenant: TenantId, *, changed: bool) -> None:
    """Put the sources that a declaration is about in line, where what holds for them has changed."""
    if changed:
        put_in_line(connection, tenant, None if made.source is None else [made.source], origin=made.origin)


def _note(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    made: DeclarationRecord,
    person: str,
    action: str,
    details: Mapping[str, Any],
) -> None:
    runtime.audit.append(
        connection, tenant, [AuditEntry(actor=person, action=action, subject=made.id, details=dict(details))]
    )


def _identifier(said: Mapping[str, Any], before: list[DeclarationRecord]) -> str:
    """The id of a declaration in these words: the one that is there, or the next where that was revoked."""
    ended = {each.id for each in before if each.revoked_at is not None}
    number = 0
    while True:
        identifier = f"dcl-{sha256_of_json({**said, 'number': number})[:16]}"
        if identifier not in ended:
            return identifier
        number += 1


def _check_scope(source: SourceId | None, origin: Origin | None, field: str, property_: str) -> None:
    if source is not None and origin is not None:
        raise InputError("A declaration is about a source or about an origin", where="--source, --origin")
    if field and property_:
        raise InputError("A declaration names a field or a property", where="--field, --property")


def _check_class(
    declared: DeclaredClass,
    entity_types: tuple[str, ...],
    action: Action | None,
    category: SpecialCategory | None,
    named: str,
    scope: str | None,
) -> None:
    """Each class needs some of these and cannot have the others."""
    wanted = {
        DeclaredClass.BUSINESS_CONTACT: (True, False, False),
        DeclaredClass.ACTION: (True, True, False),
        DeclaredClass.SPECIAL_CATEGORY: (False, False, True),
        DeclaredClass.NO_SPECIAL_CATEGORY: (False, False, False),
    }[declared]
    if (bool(entity_types), action is not None, category is not None) != wanted:
        needed = [
            name for name, is_needed in zip(("--type", "--action", "--category"), wanted, strict=True) if is_needed
        ]
        raise InputError(
            f"A declaration of the class {declared} needs {' and '.join(needed) or 'only a field'}", where="--class"
        )
    if declared is not DeclaredClass.ACTION and not named:
        raise InputError(f"A declaration of the class {declared} is about a field", where="--field, --property")
    if declared in (DeclaredClass.BUSINESS_CONTACT, DeclaredClass.NO_SPECIAL_CATEGORY) and scope is None:
        raise InputError(
            f"A declaration of the class {declared} is about one source or one origin", where="--source, --origin"
        )
    if declared is DeclaredClass.BUSINESS_CONTACT and not set(entity_types) <= set(CONTACT_TYPES):
        raise InputError(
            f"Only {' and '.join(CONTACT_TYPES)} can be business contacts",
            where="--type",
            remedy="A person's name or document is personal data whoever publishes it.",
        )
    if SPECIAL_CATEGORY in entity_types and action is Action.HASH:
        raise InputError("A special category is never digested", where="--action", remedy="Use drop or quarantine.")

"""Declarations on personal data as durable rows: who asked, who signed, who revoked, and which of them are in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.pii.declarations import Declaration, DeclaredClass
from tenant_pipeline.pii.policy import Action
from tenant_pipeline.pii.special_categories import SpecialCategory
from tenant_pipeline.services.sources import Source
from tenant_pipeline.storage.database import Connection

WAITING, STRICTER_ONLY, SIGNED, EXPIRED, REVOKED = "waiting", "stricter-only", "signed", "expired", "revoked"


@dataclass(frozen=True)
class DeclarationRecord:
    """A declaration with all that was decided on it. It is about one source, all of an origin, or all sources."""

    id: str
    declared: DeclaredClass
    source: SourceId | None
    origin: Origin | None
    table: str
    field: str
    property: str
    entity_types: tuple[str, ...]
    action: Action | None
    category: SpecialCategory | None
    reason: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime | None
    over: bool
    """Whether it had expired by the database's clock when it was read: a clock of ours that is set back keeps none."""

    signed_by: str | None
    signed_at: datetime | None
    revoked_by: str | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """`signed`, `expired` or `revoked`; unsigned, `stricter-only` where it counts all the same, else `waiting`.

        It has expired as soon as either our clock, which says `now`, or the database's is past its time.
        """
        if self.revoked_at is not None:
            return REVOKED
        if self.over or (self.expires_at is not None and self.expires_at <= now):
            return EXPIRED
        if self.signed_at is not None:
            return SIGNED
        free = self.declared in (DeclaredClass.ACTION, DeclaredClass.SPECIAL_CATEGORY)
        return STRICTER_ONLY if free and self.action is not Action.ALLOW else WAITING

    def as_declaration(self) -> Declaration:
        """It as the screen takes it."""
        return Declaration(
            id=self.id,
            declared=self.declared,
            signed=self.signed_at is not None,
            table=self.table,
            field=self.field,
            property=self.property,
            entity_types=self.entity_types,
            action=self.action,
            category=self.category,
        )

    def as_json(self, now: datetime) -> dict[str, Any]:
        """It as the command line and the API give it."""
        return {
            "id": self.id,
            "class": str(self.declared),
            "state": self.state(now),
            "source": self.source,
            "origin": str(self.origin) if self.origin else None,
            "table": self.table,
            "field": self.field,
            "property": self.property,
            "entity_types": list(self.entity_types),
            "action": str(self.action) if self.action else None,
            "category": str(self.category) if self.category else None,
            "reason": self.reason,
            "requested_by": self.requested_by,
            "requested_at": self.requested_at.isoformat(),
            "expires_at": _iso(self.expires_at),
            "signed_by": self.signed_by,
            "signed_at": _iso(self.signed_at),
            "revoked_by": self.revoked_by,
            "revoked_at": _iso(self.revoked_at),
        }


def records(connection: Connection, tenant: TenantId) -> list[DeclarationRecord]:
    """Every declaration of a tenant, in the order in which they were made."""
    rows = connection.execute(
        """
        SELECT declared.id, declared.declared_class, declared.source_id, declared.origin, declared.table_name,
               declared.field, declared.property, declared.entity_types, declared.action, declared.category,
               declared.reason, declared.requested_by, declared.requested_at, declared.expires_at,
               coalesce(declared.expires_at <= clock_timestamp(), false) AS over,
               signing.person AS signed_by, signing.taken_at AS signed_at,
               ending.person AS revoked_by, ending.taken_at AS revoked_at
          FROM runtime.privacy_declarations AS declared
          LEFT JOIN runtime.privacy_declaration_steps AS signing
            ON signing.tenant_id = declared.tenant_id AND signing.declaration_id = declared.id
               AND signing.step = 'signed'
          LEFT JOIN runtime.privacy_declaration_steps AS ending
            ON ending.tenant_id = declared.tenant_id AND ending.declaration_id = declared.id
               AND ending.step = 'revoked'
         WHERE declared.tenant_id = %s
         ORDER BY declared.requested_at, declared.id
        """,
        (tenant,),
    ).fetchall()
    return [
        DeclarationRecord(
            id=row["id"],
            declared=DeclaredClass(row["declared_class"]),
            source=row["source_id"],
            origin=Origin(row["origin"]) if row["origin"] else None,
            table=row["table_name"],
            field=row["field"],
            property=row["property"],
            entity_types=tuple(row["entity_types"]),
            action=Action(row["action"]) if row["action"] else None,
            category=SpecialCategory(row["category"]) if row["category"] else None,
            **{
                name: row[name]
                for name in (
                    "reason", "requested_by", "requested_at", "expires_at", "over", "signed_by", "signed_at",
                    "revoked_by", "revoked_at",
                )
            },
        )
        for row in rows
    ]  # fmt: skip


def record(connection: Connection, tenant: TenantId, declaration: str) -> DeclarationRecord:
    """One declaration of a tenant. Raises NotFoundError when the tenant has none of that id."""
    found = next((each for each in records(connection, tenant) if each.id == declaration), None)
    if found is None:
        raise NotFoundError(
            "There is no such declaration",
            where=tenant,
            remedy="`tenant-pipeline privacy show` lists them with their ids.",
        )
    return found


def in_force(connection: Connection, source: Source, now: datetime) -> tuple[Declaration, ...]:
    """The declarations that hold for a source at `now`, by id."""
    return tuple(
        each.as_declaration()
        for each in sorted(records(connection, source.tenant), key=lambda each: each.id)
        if each.source in (None, source.id)
        and each.origin in (None, source.origin)
        and each.state(now) in (SIGNED, STRICTER_ONLY)
    )


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None

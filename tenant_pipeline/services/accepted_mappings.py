"""The mappings that a tenant has accepted, as durable rows: versions that nothing changes, only supersedes or ends."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.mapping.choose import choose
from tenant_pipeline.core.mapping.mapping import Mapping, MappingRules, mapping_of
from tenant_pipeline.core.tables import StageReader
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection

ACTIVE, SUPERSEDED, RETIRED = "active", "superseded", "retired"


@dataclass(frozen=True)
class AcceptedMapping:
    """One version of a tenant's mapping, and whether it applies: `active`, `superseded` or `retired`."""

    mapping: Mapping
    definition: MappingOf[str, Any]
    fields_digest: Sha256
    accepted_by: str
    reason: str
    accepted_at: datetime
    state: str
    retired_by: str | None
    retired_because: str | None
    retired_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """The version as the command line and the API give it."""
        return {
            "mapping": self.mapping.id,
            "version": self.mapping.version,
            "state": self.state,
            "type": self.mapping.type,
            "fields_digest": self.fields_digest,
            "accepted_by": self.accepted_by,
            "reason": self.reason,
            "accepted_at": self.accepted_at.isoformat(),
            "retired_by": self.retired_by,
            "retired_because": self.retired_because,
            "retired_at": self.retired_at.isoformat() if self.retired_at else None,
            "definition": dict(self.definition),
        }


def versions(connection: Connection, tenant: TenantId, mapping_id: str | None = None) -> list[AcceptedMapping]:
    """Every version that the tenant has accepted (of one mapping), the latest acceptance first."""
    rows = connection.execute(
        """
        SELECT accepted.definition, accepted.fields_digest, accepted.accepted_by, accepted.reason,
               accepted.accepted_at, ending.accepted_by AS retired_by, ending.reason AS retired_because,
               ending.accepted_at AS retired_at,
               row_number() OVER (
                   PARTITION BY accepted.mapping_id ORDER BY string_to_array(accepted.version, '.')::int[] DESC
               ) = 1 AS latest
          FROM runtime.tenant_mappings AS accepted
          LEFT JOIN runtime.tenant_mappings AS ending
            ON ending.retired AND (ending.tenant_id, ending.mapping_id, ending.version)
               = (accepted.tenant_id, accepted.mapping_id, accepted.version)
         WHERE accepted.tenant_id = %(tenant)s AND NOT accepted.retired
           AND (%(mapping)s::text IS NULL OR accepted.mapping_id = %(mapping)s)
         ORDER BY accepted.accepted_at DESC, accepted.mapping_id
        """,
        {"tenant": tenant, "mapping": mapping_id},
    ).fetchall()
    return [
        AcceptedMapping(
            mapping=mapping_of(row["definition"]),
            state=RETIRED if row["retired_at"] else ACTIVE if row.pop("latest") else SUPERSEDED,
            **{name: value for name, value in row.items() if name != "latest"},
        )
        for row in rows
    ]


def append(
    connection: Connection,
    tenant: TenantId,
    definition: MappingOf[str, Any],
    fields_digest: Sha256,
    *,
    person: str,
    reason: str,
    retired: bool,
) -> None:
    """Add the row that accepts a version, or the one that ends it."""
    connection.execute(
        """
        INSERT INTO runtime.tenant_mappings
               (tenant_id, mapping_id, version, retired, definition, fields_digest, accepted_by, reason)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            tenant,
            definition["id"],
            definition["version"],
            retired,
            Jsonb(dict(definition)),
            fields_digest,
            person,
            reason,
        ),
    )


def rules_of(connection: Connection, runtime: Runtime, tenant: TenantId) -> MappingRules:
    """The contract's mapping rules with the tenant's active mappings, which come before the declared ones."""
    active = tuple(each.mapping for each in versions(connection, tenant) if each.state == ACTIVE)
    return replace(runtime.contracts.mappings, accepted=active)


def chosen_mappings(screened: StageReader, rules: MappingRules, origin: str) -> dict[str, Any]:
    """Which accepted mappings a source's tables choose: what makes its stage `map` depend on them, or nothing."""
    accepted = {mapping.id for mapping in rules.accepted}
    descriptors = [reader.descriptor for reader in screened.tables("records")] if accepted else []
    choices = [choose(rules, each.fields, str(each.about.get("shape", "records")), origin) for each in descriptors]
    chosen = {f"{one.mapping.id}@{one.mapping.version}" for one in choices if one.mapping.id in accepted}
    return {"mappings": sorted(chosen)} if chosen else {}

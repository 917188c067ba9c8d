"""A tenant whose sources say what a test has them say, without a walk through the stages."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tenant_pipeline.core.digest import sha256_of_bytes, short_id
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import roles
from tenant_pipeline.services.conflicts import reading, resolution_form
from tenant_pipeline.services.conflicts.authority import Signer
from tenant_pipeline.services.conflicts.matrix import ComparedSource, compare_source
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tests.integration.conftest import ATTACKER
from tests.registered import registered

GOVERNANCE = "platform-governance"
START = datetime(2026, 3, 1, tzinfo=UTC)
ANN = Signer("ann", "reviewer", "Checked against the register.")
BOB = Signer("bob", "reviewer", "Rang them up.")
HALL = "can-hall"

Said = tuple[str, str, str]
"""Property, language and value."""


@dataclass
class Sources:
    """A tenant and what its sources say of its one hall."""

    runtime: Runtime
    tenant: TenantId
    assembled: dict[SourceId, int] = field(default_factory=dict)

    def say(
        self,
        number: int,
        *said: Said,
        tier: int = 2,
        entity: str = HALL,
        compare: bool = True,
        title: str = "a source",
        valid: tuple[str, str] = ("", ""),
    ) -> SourceId:
        """Assemble source `number` (anew): it says this, and nothing of what it said before, then compare.

        `valid` is from when and until when it says that all of it holds.
        """
        source = SourceId(f"src-{number:016x}")
        turn = self.assembled[source] = self.assembled.get(source, 0) + 1
        at = START + timedelta(days=turn)
        with self.runtime.database.tenant(self.tenant) as connection:
            connection.execute(
                """
                INSERT INTO runtime.tenant_sources
                       (tenant_id, id, origin, unit_mode, title, unit_digest, ingest_status, authority_rank,
                        received_by, rights)
                VALUES (%s, %s, 'partner-doc', 'single-file', %s, %s, 'assembled', %s, 'tester', 'CC BY 4.0')
                ON CONFLICT DO NOTHING
                """,
                (self.tenant, source, title, sha256_of_bytes(b"unit"), tier),
            )
            connection.execute(
                "UPDATE runtime.tenant_sources SET assembled_at = %s WHERE tenant_id = %s AND id = %s",
                (at, self.tenant, source),
            )
            connection.execute(
                """
                UPDATE runtime.statements SET retired_at = %s
                 WHERE tenant_id = %s AND source_id = %s AND retired_at IS NULL
                """,
                (at, self.tenant, source),
            )
            for position, (property_, lang, value) in enumerate(said):
                statement = short_id("st-", (source, entity, property_, lang, value))
                connection.execute(
                    """
                    INSERT INTO runtime.statements
                           (tenant_id, source_id, statement_id, entity_id, canonical_id, type, property, value,
                            raw_value, lang, datatype, locator, method, valid_from, valid_to, first_seen, last_seen)
                    VALUES (%s, %s, %s, %s, %s, 'EventVenue', %s, %s, %s, %s, 'text', %s, 'test', %s, %s, %s, %s)
                    ON CONFLICT (tenant_id, source_id, entity_id, statement_id)
                    DO UPDATE SET last_seen = excluded.last_seen, retired_at = NULL
                    """,
                    (self.tenant, source, statement, f"{source}:{entity}", entity, property_, value, f" {value}", lang,
                     f"halls.csv#row={position + 2}", *valid, at, at),
                )  # fmt: skip
            entry = AuditEntry(actor="test", action="stage.complete", subject=f"{source}:assemble", details={})
            self.runtime.audit.append(connection, self.tenant, [entry])
        if compare:
            self.compare(source)
        return source

    def compare(self, source: SourceId) -> ComparedSource:
        """Compare what the source says with what the others say."""
        with self.runtime.database.tenant(self.tenant) as connection:
            compared = compare_source(connection, self.tenant, source, self.runtime.contracts)
            entry = AuditEntry(actor="test", action="conflicts.compared", subject=source, details={})
            self.runtime.audit.append(connection, self.tenant, [entry])
        return compared

    def link(self, home: str = "") -> None:
        """Have what its sources speak of linked to the hall: by a score, each from a home of its own, or all by one
        identifier in this `home`."""
        parameters = {"tenant": self.tenant, "home": home, "method": "identifier:identifier" if home else "score"}
        with self.runtime.database.tenant(self.tenant) as connection:
            connection.execute(
                """
                INSERT INTO runtime.entities
                       (tenant_id, canonical_id, type, created_by_source, merged_into, attached_to)
                SELECT DISTINCT tenant_id, id, 'EventVenue', 'test', nullif(canonical_id, id),
                       CASE WHEN id = canonical_id THEN '' ELSE canonical_id END
                  FROM runtime.statements,
                       unnest(ARRAY[canonical_id, coalesce(nullif(%(home)s, ''), 'home-of-' || source_id)]) AS id
                 WHERE tenant_id = %(tenant)s
                """,
                parameters,
            )
            connection.execute(
                """
                INSERT INTO runtime.entity_members
                       (tenant_id, source_id, entity_id, canonical_id, home_id, method, score, explanation)
                SELECT DISTINCT tenant_id, source_id, entity_id, canonical_id,
                       coalesce(nullif(%(home)s, ''), 'home-of-' || source_id), %(method)s, 1, '{}'::jsonb
                  FROM runtime.statements WHERE tenant_id = %(tenant)s
                """,
                parameters,
            )

    def keep_all(self) -> None:
        """Let all that was ever said count as said now."""
        with self.runtime.database.tenant(self.tenant) as connection:
            connection.execute("UPDATE runtime.statements SET retired_at = NULL WHERE tenant_id = %s", (self.tenant,))

    def items(self, **wanted: Any) -> list[dict[str, Any]]:
        """The matrix's rows."""
        return reading.page_of_matrix(self.runtime, self.tenant, reading.Filter(**wanted), limit=1000).items

    def item(self, **wanted: Any) -> dict[str, Any]:
        """The matrix's one row."""
        (item,) = self.items(**wanted)
        return item

    def form(self, conflict_id: str) -> dict[str, Any]:
        """The form of an item."""
        return resolution_form.resolution_form(self.runtime, self.tenant, conflict_id)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What the tenant's own login reads."""
        with self.runtime.database.tenant(self.tenant) as connection:
            return connection.execute(sql).fetchall()  # type: ignore[call-overload, no-any-return]


def new_tenant(runtime: Runtime) -> Sources:
    """A fresh tenant without sources."""
    tenant = registered(runtime, f"c{uuid.uuid4().hex[:12]}")
    for person, role in (("ann", "reviewer"), ("bob", "reviewer"), ("ann", "founder"), ("gail", GOVERNANCE)):
        for each in (tenant, ATTACKER):
            roles.grant_role(runtime, each, person=person, role=role, granted_by="test")
    return Sources(runtime, tenant)

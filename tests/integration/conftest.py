"""A real PostgreSQL with two tenants in it, for everything that only a real database can show."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.database import login_of

VICTIM, ATTACKER = TenantId("victim-tenant"), TenantId("attacker-tenant")
SOURCE = SourceId("src-00000000000000aa")


@dataclass(frozen=True)
class TwoTenants:
    """An installation in which one tenant has a row in every tenant-bound table, and another has none."""

    runtime: Runtime

    def login(self, tenant: TenantId) -> psycopg.Connection[tuple[object, ...]]:
        """A connection as an intruder would have it: the tenant's own login, nothing of ours in between."""
        role = login_of(tenant)
        database = self.runtime.database
        return psycopg.connect(make_conninfo(database.conninfo(), user=role, password=database.password_of(role)))

    def superuser(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection as the superuser."""
        return psycopg.connect(self.runtime.database.conninfo())


@pytest.fixture(scope="session")
def tenants() -> Iterator[TwoTenants]:
    with tempfile.TemporaryDirectory(prefix="tenant-runtime-test-") as folder:
        Path(folder).chmod(0o755)
        with open_runtime(Settings(home=Path(folder) / "home")) as runtime:
            name = {"th": "ทดสอบ", "en": "Test", "zh": "测试"}
            for tenant in (VICTIM, ATTACKER):
                registry.register_tenant(runtime, tenant, name=name, domain="test.example", tier="pilot", actor="test")
            two = TwoTenants(runtime)
            with two.superuser() as connection:
                _fill(connection)
            yield two


def _fill(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """One row of the victim in every tenant-bound table, from the catalogue, so that a new table is not forgotten."""
    digest = "a" * 64
    given = {
        "tenant_id": VICTIM,
        "source_id": SOURCE,
        "origin": "press",
        "unit_mode": "folder",
        "unit_digest": digest,
        "ingest_status": "assembled",
        "authority_rank": 2,
        "gate": "pii",
        "band": "pass",
        "sha256": digest,
        "subject_digest": digest,
        "kind": "identifier",
        "judgement": "same",
        "status": "proposed",
        "verdict": "differs",
        "decision": "approve",
        "visibility": "private",
        "left_id": "a",
        "right_id": "b",
        "requested_by": "ann",
        "approver": "bob",
        "sequence": 1_000_000,
        "rollback_to": None,
        "assembled_at": None,
    }
    special = {
        ("tenant_sources", "id"): SOURCE,
        ("approvals", "gate"): "gate-review",
        ("approvals", "subject"): "release",
        ("approvals", "role"): "reviewer",
        ("approvals", "decided_at"): "2026-01-02",
        ("approvals", "key_id"): None,
        ("approvals", "signature"): None,
        ("approval_requests", "gate"): "gate-review",
        ("approval_requests", "subject"): "release",
        ("approval_requests", "needs"): '[["reviewer"]]',
        ("approval_requests", "requested_at"): "2026-01-01",
        ("approval_steps", "step"): "escalated",
        ("approval_steps", "approval_id"): None,
        ("person_keys", "key_id"): digest,
        ("person_keys", "step"): "added",
        ("person_keys", "algorithm"): "ed25519",
        ("person_keys", "public_key"): b"secret of the victim" + bytes(12),
        ("publish_pipeline", "stage"): "draft",
        ("flag_overrides", "act"): "set",
        ("listing_steps", "step"): "withdrawn",
        ("listing_steps", "release_digest"): digest,
        ("listing_steps", "listing_digest"): digest,
        ("marketplace_listings", "share_scope"): "none",
        ("marketplace_listings", "release_digest"): None,
        ("cost_alerts", "month"): "2026-01-01",
        ("cost_alerts", "threshold"): 1,
        ("publish_pipeline", "release_digest"): None,
        ("releases", "version"): "1.0.0",
        ("releases", "release_digest"): digest,
        ("releases", "base_digest"): None,
        ("releases", "content_digest"): digest,
        ("releases", "stored_digest"): digest,
        ("releases", "conflicts_digest"): digest,
        ("tenant_transitions", "from_state"): "draft",
        ("tenant_transitions", "to_state"): "review",
        ("quarantine_releases", "stage"): "receive",
        ("conflicts", "status"): "open",
        ("coverage_overrides", "act"): "give",
        ("coverage_overrides", "floor"): "warn",
        ("conflicts", "signature_number"): None,
        ("conflict_sources", "relation"): "differs",
        ("conflict_signatures", "decision"): "void",
        ("conflict_signatures", "candidates_digest"): digest,
        ("entities", "merged_into"): None,
        ("identity_changes", "change"): "merge",
        ("identity_changes", "from_id"): "a",
        ("judgement_history", "before"): "none",
        ("tenant_mappings", "version"): "1.0.0",
        ("tenant_mappings", "fields_digest"): digest,
        ("privacy_declarations", "id"): "dcl-00000000000000aa",
        ("privacy_declarations", "declared_class"): "no-special-category",
        ("privacy_declarations", "origin"): None,
        ("privacy_declarations", "property"): "",
        ("privacy_declarations", "action"): "",
        ("privacy_declaration_steps", "declaration_id"): "dcl-00000000000000aa",
        ("privacy_declaration_steps", "step"): "revoked",
        ("provisioning_operations", "act"): "provision",
        ("provisioning_steps", "state"): "begun",
        ("digest_key_steps", "version"): 1,
        ("digest_key_steps", "step"): "made",
        ("digest_key_steps", "role"): "founder",
    }
    tables = connection.execute(
        """
        SELECT class.relname FROM pg_class AS class
          JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attname = 'tenant_id'
         WHERE class.relnamespace = 'runtime'::regnamespace AND class.relkind = 'r' AND class.relname <> 'tenant_logins'
         ORDER BY class.relname = 'approvals', class.oid
        """
    ).fetchall()
    kinds = {"text": "secret of the victim", "jsonb": '["secret of the victim"]', "boolean": True, "ARRAY": [],
             "uuid": "0" * 32, "timestamp with time zone": "2099-01-01", "bytea": b"secret"}  # fmt: skip
    for (table,) in tables:
        columns = connection.execute(
            """
            SELECT column_name, data_type FROM information_schema.columns
             WHERE table_schema = 'runtime' AND table_name = %s AND is_identity = 'NO'
               AND column_name NOT IN ('created_at', 'last_seen', 'first_seen')
            """,
            (table,),
        ).fetchall()
        row = {
            name: special.get((table, name), given[name] if name in given else kinds.get(kind, 0))
            for name, kind in columns
        }
        extra = ", first_seen, last_seen" if table == "statements" else ""
        times = ", now(), now()" if extra else ""
        connection.execute(
            f"INSERT INTO runtime.{table} ({', '.join(row)}{extra}) VALUES ({', '.join(['%s'] * len(row))}{times})",
            list(row.values()),
        )

"""A tenant does not become the platform: not by its name, nor by what it leaves in its schema, nor by its audit log."""

from __future__ import annotations

from contextlib import nullcontext

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from tenant_pipeline.core.errors import InputError, IntegrityError
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.pentest.undone import undone
from tenant_pipeline.services import registry
from tenant_pipeline.storage import serving
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import login_of
from tests.integration.conftest import ATTACKER, VICTIM, TwoTenants
from tests.registered import registered

PLATFORMS_OWN = (
    "runtime",
    "runtime-platform",
    "runtime-governance",
    "runtime-marts",
    "runtime-dagster",
    "runtime-owner",
)


@pytest.mark.parametrize("name", PLATFORMS_OWN)
def test_no_tenant_is_called_as_the_platforms_own_roles_and_namespace_are(tenants: TwoTenants, name: str) -> None:
    with pytest.raises(InputError, match="platform's own"):
        registered(tenants.runtime, name)
    with pytest.raises(InputError, match="platform's own"):
        tenant_id(name)
    with tenants.superuser() as connection:
        assert (
            connection.execute(
                "SELECT role_name FROM runtime.tenant_logins WHERE role_name LIKE 'tenant\\_runtime%'"
            ).fetchall()
            == []
        )


def test_the_database_admits_none_of_its_own_roles_as_a_tenants_login(tenants: TwoTenants) -> None:
    with tenants.superuser() as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("SELECT app.admit_tenant('runtime-platform', 'tenant_runtime_platform')")


def test_a_role_with_powers_is_not_taken_for_a_tenants_login(tenants: TwoTenants) -> None:
    tenant = TenantId("found-role")
    with tenants.superuser() as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(sql.Identifier(login_of(tenant))))
    try:
        with pytest.raises(errors.InsufficientPrivilege):
            tenants.runtime.database.create_tenant_login(tenant)
    finally:
        with tenants.superuser() as connection:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login_of(tenant))))


def test_a_tenants_login_leaves_nothing_in_its_schema_for_mightier_roles_to_run(tenants: TwoTenants) -> None:
    schema = sql.Identifier(login_of(ATTACKER))
    with tenants.login(ATTACKER) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(
            sql.SQL("CREATE TABLE {}.release_documents (document_digest text, canonical_id text)").format(schema)
        )


def test_serving_tables_that_somebody_else_made_are_not_written_to(tenants: TwoTenants) -> None:
    tenant = TenantId("left-in-schema")
    schema = tenants.runtime.database.create_tenant_login(tenant)
    with tenants.superuser() as connection:
        name = sql.Identifier(schema)
        connection.execute(sql.SQL("CREATE TABLE {}.release_documents (document_digest text)").format(name))
        connection.execute(sql.SQL("ALTER TABLE {}.release_documents OWNER TO {}").format(name, name))
    try:
        with tenants.runtime.database.administration() as connection, pytest.raises(IntegrityError):
            serving.create_serving_tables(connection, schema)
    finally:
        with tenants.superuser() as connection:
            connection.execute(sql.SQL("DROP TABLE {}.release_documents").format(name))


@pytest.mark.parametrize(
    ("sequence", "previous"),
    [("9223372036854775807", "hash"), ("sequence + 2", "hash"), ("sequence + 1", "repeat('b', 64)"), ("0 + 1", "hash")],
)
def test_a_tenants_login_cannot_bring_its_audit_log_to_an_end(
    tenants: TwoTenants, sequence: str, previous: str
) -> None:
    with tenants.login(ATTACKER) as connection, pytest.raises((errors.InsufficientPrivilege, errors.UniqueViolation)):
        connection.execute(
            f"""
            INSERT INTO runtime.audit_log
                   (tenant_id, sequence, at, actor, action, subject, details, previous_hash, hash)
            SELECT tenant_id, {sequence}, now(), 'intruder', 'source.add', 'x', '{{}}', {previous}, repeat('a', 64)
              FROM runtime.audit_log ORDER BY sequence DESC LIMIT 1
            """
        )
    registry.update_tenant(tenants.runtime, ATTACKER, person="op", domain="still.example")


@pytest.mark.parametrize(
    ("action", "noted"),
    [
        ("approval.approve", False), ("role.granted", False), ("gate.override", False), ("release.published", False),
        ("tenant.transition", False), ("backup.restored", False), ("feedback", False), ("source.add", True),
        ("feed.decided", True),
    ],
)  # fmt: skip
def test_a_tenants_login_notes_in_its_audit_log_what_it_does_itself_alone(
    tenants: TwoTenants, action: str, noted: bool
) -> None:
    entry = AuditEntry("founder", action, "x")
    refused = nullcontext() if noted else pytest.raises(errors.InsufficientPrivilege, match="row-level security")
    with refused, undone(tenants.runtime) as runtime, runtime.database.tenant(ATTACKER) as connection:
        runtime.audit.append(connection, ATTACKER, [entry])
    with undone(tenants.runtime) as runtime, runtime.database.platform() as connection:
        runtime.audit.append(connection, ATTACKER, [entry])


@pytest.mark.parametrize("statement", ["SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')"])
def test_a_tenants_login_keeps_nothing_outside_of_the_tables(tenants: TwoTenants, statement: str) -> None:
    with tenants.login(ATTACKER) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


def test_no_login_sees_the_locks_of_all_databases_from_the_one_that_is_a_pattern(tenants: TwoTenants) -> None:
    database, role = tenants.runtime.database, login_of(ATTACKER)
    there = make_conninfo(database.conninfo(), dbname="template1", user=role, password=database.password_of(role))
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(there)


@pytest.mark.parametrize("purpose", ["approvals of", "release of", "listing of", "provisioning", "made up"])
def test_a_tenants_login_takes_no_lock_that_is_the_platforms_to_take(tenants: TwoTenants, purpose: str) -> None:
    with tenants.login(ATTACKER) as connection:
        connection.execute("SELECT app.lock('audit', %s)", (ATTACKER,))
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("SELECT app.lock(%s, %s)", (purpose, ATTACKER))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE runtime.tenant_sources SET received_at = 'infinity'",
        "UPDATE runtime.tenant_sources SET queued_at = '294276-01-01'",
        "UPDATE runtime.tenant_sources SET not_before = '4000-01-01 BC'",
        "UPDATE runtime.gate_verdicts SET decided_at = '-infinity'",
        "UPDATE runtime.gate_verdicts SET findings = '{}'",
        "UPDATE runtime.gate_verdicts SET reasons = '1'",
        """
        INSERT INTO runtime.audit_log (tenant_id, sequence, at, actor, action, subject, details, previous_hash, hash)
        SELECT tenant_id, sequence + 1, 'infinity', 'intruder', 'source.add', 'x', '{}', hash, repeat('a', 64)
          FROM runtime.audit_log ORDER BY sequence DESC LIMIT 1
        """,
        *(
            f"""
            INSERT INTO runtime.stage_runs
                   (tenant_id, source_id, stage, input_digest, code_version, output_digest, counts, rows_in, rows_out,
                    rows_rejected, rows_quarantined, reject_codes, seconds, finished_at)
            SELECT tenant_id, id, 'extract', 'i', 'c', 'o', '{{}}', {rows}, 0, 0, 0, '{{}}', {seconds}, {finished}
              FROM runtime.tenant_sources LIMIT 1
            """
            for rows, seconds, finished in (
                ("0", "1e308", "now()"), ("0", "'NaN'", "now()"), ("-1", "0", "now()"), ("0", "0", "'infinity'"),
            )
        ),
    ],
)  # fmt: skip
def test_a_tenants_login_writes_nothing_that_whoever_reads_all_tenants_fails_on(
    tenants: TwoTenants, statement: str
) -> None:
    # Only the victim has rows that could be changed, and a source that a record could be of.
    with tenants.login(VICTIM) as connection, pytest.raises(errors.CheckViolation):
        connection.execute(statement)


def test_every_time_that_a_tenants_login_writes_is_within_the_calendar(tenants: TwoTenants) -> None:
    with tenants.superuser() as connection:
        unbound = connection.execute(
            """
            SELECT class.relname, attribute.attname
              FROM pg_class AS class
              JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attnum > 0
             WHERE class.relnamespace = 'runtime'::regnamespace AND class.relkind = 'r'
               AND NOT attribute.attisdropped AND attribute.atttypid = 'timestamptz'::regtype
               AND has_column_privilege('tenant_runtime_tenants', class.oid, attribute.attnum, 'INSERT, UPDATE')
               AND NOT EXISTS (SELECT FROM pg_constraint
                                WHERE conrelid = class.oid AND contype = 'c' AND attribute.attnum = ANY (conkey)
                                  AND conname LIKE '%within_the_calendar')
            """
        ).fetchall()
    assert unbound == [("source_standings", "up_to")], "of the tenant's own, and before all times at first"

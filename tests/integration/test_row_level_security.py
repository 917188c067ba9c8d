"""Another tenant's login gets nothing: not by reading, writing, forging, guessing or asking in other ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.database import login_of
from tests.integration.conftest import ATTACKER, SOURCE, VICTIM, TwoTenants

Connection = psycopg.Connection[tuple[Any, ...]]

TENANT_BOUND = """
SELECT class.relname FROM pg_class AS class
  JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attname = 'tenant_id'
 WHERE class.relnamespace = 'runtime'::regnamespace AND class.relkind IN ('r', 'v', 'm', 'p')
"""


@pytest.fixture
def attacker(tenants: TwoTenants) -> Iterator[Connection]:
    with tenants.login(ATTACKER) as connection:
        yield connection
        connection.rollback()


def _tables(tenants: TwoTenants) -> list[str]:
    with tenants.superuser() as connection:
        return [str(name) for (name,) in connection.execute(TENANT_BOUND)]


def _count(connection: Connection, table: str, where: str = "true") -> int:
    row = connection.execute(f"SELECT count(*) FROM runtime.{table} WHERE {where}").fetchone()
    return int(row[0]) if row else 0


def test_every_tenant_bound_table_forces_row_level_security(tenants: TwoTenants) -> None:
    with tenants.superuser() as connection:
        loose = connection.execute(
            TENANT_BOUND
            + " AND class.relkind IN ('r', 'p') AND NOT (class.relrowsecurity AND class.relforcerowsecurity)"
        ).fetchall()
        assert loose == []
        views = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'runtime'::regnamespace AND relkind IN ('v', 'm')"
            " AND NOT coalesce(reloptions::text LIKE '%security_invoker=true%', false)"
        ).fetchall()
        assert views == [], "a view that has rights of its own sees every tenant"


def test_the_victim_has_a_row_in_every_table_and_sees_it(tenants: TwoTenants) -> None:
    with tenants.login(VICTIM) as connection:
        for table in _tables(tenants):
            if table != "tenant_logins":
                assert _count(connection, table) >= 1, table


def test_another_tenant_reads_no_row_of_any_table(tenants: TwoTenants, attacker: Connection) -> None:
    for table in _tables(tenants):
        if table == "tenant_logins":
            with pytest.raises(errors.InsufficientPrivilege):
                attacker.execute("SELECT * FROM runtime.tenant_logins")
            attacker.rollback()
        else:
            assert _count(attacker, table, f"tenant_id = '{VICTIM}'") == 0, table
            assert _count(attacker, table, f"tenant_id <> '{ATTACKER}'") == 0, table
    assert attacker.execute("SELECT id FROM runtime.tenants").fetchall() == [(ATTACKER,)]


def test_another_tenant_writes_into_no_table(tenants: TwoTenants, attacker: Connection) -> None:
    for table in _tables(tenants):
        with tenants.superuser() as connection:
            is_table = connection.execute(
                "SELECT relkind = 'r' FROM pg_class WHERE oid = %s::regclass", (f"runtime.{table}",)
            ).fetchone()
        if not is_table or not is_table[0]:
            continue
        with pytest.raises(errors.InsufficientPrivilege):  # any other comes after the policy has let the row through
            attacker.execute(
                sql.SQL("INSERT INTO runtime.{} (tenant_id) VALUES (%s)").format(sql.Identifier(table)), (VICTIM,)
            )
        attacker.rollback()
        for statement in ("DELETE FROM runtime.{}", "TRUNCATE runtime.{}"):
            with pytest.raises(errors.InsufficientPrivilege):
                attacker.execute(sql.SQL(statement).format(sql.Identifier(table)))
            attacker.rollback()


def test_rows_cannot_be_handed_over_or_taken(attacker: Connection) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        attacker.execute(f"UPDATE runtime.statements SET tenant_id = '{ATTACKER}' WHERE tenant_id = '{VICTIM}'")
    attacker.rollback()
    assert attacker.execute(f"UPDATE runtime.statements SET value = '' WHERE tenant_id = '{VICTIM}'").rowcount == 0
    with pytest.raises(errors.InsufficientPrivilege):
        attacker.execute(
            "INSERT INTO runtime.entities (tenant_id, canonical_id, type, created_by_source)"
            " VALUES (%s, 'x', 'Place', 'y')",
            (VICTIM,),
        )


def test_a_statement_is_of_a_source_of_the_same_tenant(attacker: Connection, tenants: TwoTenants) -> None:
    with tenants.superuser() as connection:
        sources = connection.execute("SELECT id FROM runtime.tenant_sources WHERE tenant_id = %s", (VICTIM,)).fetchall()
    for source in ("src-none", *(source for (source,) in sources)):
        with pytest.raises(errors.InsufficientPrivilege):
            attacker.execute(
                """
                INSERT INTO runtime.statements
                       (tenant_id, source_id, statement_id, entity_id, canonical_id, type, property, value, raw_value,
                        lang, datatype, locator, method, valid_from, valid_to, first_seen, last_seen)
                VALUES (%s, %s, 'st-1', 'ent-1', 'can-1', 'Place', 'name', '', '', '', 'text', '', '', '', '',
                        now(), now())
                """,
                (ATTACKER, source),
            )
        attacker.rollback()


def test_no_source_goes_away_from_under_its_statements(tenants: TwoTenants) -> None:
    for deletion in ("DELETE FROM runtime.tenant_sources", "TRUNCATE runtime.tenant_sources CASCADE"):
        with tenants.superuser() as connection, pytest.raises(errors.RestrictViolation):
            connection.execute(deletion)


@pytest.mark.parametrize(
    "forgery",
    [
        f"SET app.tenant_id = '{VICTIM}'",
        f"SET app.my_tenant = '{VICTIM}'",
        f"SELECT set_config('app.current_tenant', '{VICTIM}', false)",
        f"SET application_name = '{VICTIM}'",
        "SET row_security = off",
        "SET search_path = attack, pg_catalog",
    ],
)
def test_a_forged_setting_shows_nothing(attacker: Connection, forgery: str) -> None:
    attacker.execute(forgery)
    try:
        assert _count(attacker, "statements") == 0
    except errors.InsufficientPrivilege:
        attacker.rollback()  # with row_security off PostgreSQL refuses rather than filters


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE tenant_victim_tenant",
        "SET SESSION AUTHORIZATION tenant_victim_tenant",
        "SET ROLE tenant_runtime_owner",
        "SET ROLE tenant_runtime_tenants",
        "SET ROLE tenant_runtime_platform",
        "SET ROLE postgres",
        "ALTER ROLE tenant_victim_tenant PASSWORD 'known'",
        "GRANT tenant_victim_tenant TO tenant_attacker_tenant",
        "CREATE ROLE helper",
        "SELECT * FROM pg_authid",
        "ALTER TABLE runtime.statements DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_rows ON runtime.statements",
        "CREATE POLICY mine ON runtime.statements USING (true)",
        "CREATE TABLE runtime.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "CREATE FUNCTION app.my_tenant() RETURNS text LANGUAGE sql AS 'SELECT ''victim-tenant'''",
        "SELECT app.admit_tenant('victim-tenant', 'tenant_attacker_tenant')",
        "SELECT * FROM tenant_victim_tenant.anything",
        "CREATE TABLE tenant_victim_tenant.mine (a int)",
        "COPY runtime.statements TO PROGRAM 'cat'",
        "COPY runtime.statements FROM '/etc/passwd'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "CREATE EXTENSION dblink",
        "SET session_replication_role = replica",
        "ALTER TABLE runtime.audit_log DISABLE TRIGGER ALL",
        "UPDATE runtime.tenants SET status = 'live'",
        "INSERT INTO runtime.gate_overrides SELECT * FROM runtime.gate_overrides",
        "INSERT INTO runtime.approvals SELECT * FROM runtime.approvals",
    ],
)
def test_roles_policies_and_files_are_out_of_reach(attacker: Connection, statement: str) -> None:
    with pytest.raises((errors.InsufficientPrivilege, errors.UndefinedFile, errors.FeatureNotSupported)):
        attacker.execute(statement)


def test_a_function_in_a_filter_is_not_shown_the_others_rows(attacker: Connection) -> None:
    attacker.execute(
        """
        CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
        BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$
        """
    )
    seen: list[str] = []
    attacker.add_notice_handler(lambda notice: seen.append(notice.message_primary or ""))
    for table, column in (("statements", "value"), ("statement_facts", "value"), ("tenant_sources", "title")):
        attacker.execute(f"SELECT * FROM runtime.{table} WHERE pg_temp.leak({column})")
    assert not [line for line in seen if "victim" in line]


def test_values_are_never_taken_for_sql(tenants: TwoTenants) -> None:
    hostile = "x'); DROP TABLE runtime.statements; --"
    with tenants.runtime.database.tenant(ATTACKER) as connection:
        connection.execute(
            "INSERT INTO runtime.entities (tenant_id, canonical_id, type, created_by_source) VALUES (%s, %s, %s, %s)",
            (ATTACKER, hostile, hostile, hostile),
        )
        row = connection.execute("SELECT canonical_id FROM runtime.entities").fetchone()
        assert row is not None
        assert row["canonical_id"] == hostile


def test_whether_the_other_has_a_row_cannot_be_found_out(attacker: Connection) -> None:
    """A unique or foreign key would tell, were it not led by the tenant; the message would tell, were it different."""
    told = []
    for source in (SOURCE, "src-00000000000000bb"):
        try:
            attacker.execute(
                """
                INSERT INTO runtime.objects (tenant_id, source_id, object, sha256, size, media_type, display_path)
                VALUES (%s, %s, 'o1', %s, 0, '', '')
                """,
                (ATTACKER, source, "b" * 64),
            )
        except errors.ForeignKeyViolation as refused:
            told.append((refused.diag.message_primary, refused.diag.constraint_name))
        attacker.rollback()
    assert len(told) == 2
    assert told[0] == told[1]


def test_statistics_show_no_value_of_another(tenants: TwoTenants) -> None:
    shown = """
    SELECT attname FROM pg_stats WHERE schemaname = 'runtime'
       AND (most_common_vals::text LIKE '%victim%' OR histogram_bounds::text LIKE '%victim%')
    """
    with tenants.superuser() as connection:
        connection.execute(
            """
            INSERT INTO runtime.entities (tenant_id, canonical_id, type, created_by_source)
            SELECT %s, 'hall of the victim ' || number, 'Place', 'source of the victim'
              FROM generate_series(1, 1000) AS number
            """,
            (VICTIM,),
        )
        connection.execute("ANALYZE runtime.entities")
        there = {name for (name,) in connection.execute(shown)}
        assert there >= {"canonical_id", "created_by_source"}, "the superuser sees bounds and most common values"
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(login_of(ATTACKER))))
        assert connection.execute(shown).fetchall() == []
        connection.rollback()


def test_the_platform_does_not_read_what_sources_say(tenants: TwoTenants) -> None:
    for table in (
        "statements",
        "entities",
        "entity_members",
        "entity_keys",
        "entity_blocking_keys",
        "entity_features",
        "judgements",
        "judgement_history",
        "identity_changes",
        "conflicts",
    ):
        with pytest.raises(errors.InsufficientPrivilege), tenants.runtime.database.platform() as connection:
            connection.execute(f"SELECT * FROM runtime.{table}")


def test_governance_reads_and_never_writes(tenants: TwoTenants) -> None:
    with tenants.runtime.database.governance() as connection:
        assert connection.execute("SELECT 1 FROM runtime.gate_verdicts").fetchall()
    with pytest.raises(errors.InsufficientPrivilege), tenants.runtime.database.governance() as connection:
        connection.execute("UPDATE runtime.gate_verdicts SET band = 'pass'")


@pytest.mark.parametrize(
    "history",
    [
        "audit_log",
        "stage_runs",
        "gate_overrides",
        "approvals",
        "publish_pipeline",
        "tenant_mappings",
        "quarantine_releases",
        "conflict_signatures",
        "conflict_versions",
        "coverage_overrides",
        "privacy_declarations",
        "privacy_declaration_steps",
        "digest_key_steps",
        "provisioning_operations",
        "provisioning_steps",
        "judgement_history",
        "approval_requests",
        "approval_steps",
        "person_keys",
        "tenant_transitions",
        "token_revocations",
        "releases",
        "flag_overrides",
        "listing_steps",
        "cost_alerts",
        "cost_budgets",
        "processing_records",
        "breaches",
        "breach_closings",
        "erasure_requests",
        "erasure_steps",
        "identity_changes",
    ],
)
def test_history_takes_no_change_even_from_the_superuser(tenants: TwoTenants, history: str) -> None:
    with tenants.superuser() as connection:
        for statement in (f"UPDATE runtime.{history} SET tenant_id = tenant_id", f"DELETE FROM runtime.{history}",
                          f"TRUNCATE runtime.{history} CASCADE"):  # fmt: skip
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()
            connection.execute("SET session_replication_role = replica")
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()


def test_a_policy_on_a_setting_would_have_leaked(tenants: TwoTenants) -> None:
    """The attack can succeed: against the policy that is often written, a forged setting shows everything."""
    with tenants.superuser() as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS weak")
        connection.execute("CREATE TABLE weak.statements AS SELECT * FROM runtime.statements")
        connection.execute("ALTER TABLE weak.statements ENABLE ROW LEVEL SECURITY")
        connection.execute(
            "CREATE POLICY weak ON weak.statements USING (tenant_id = current_setting('app.tenant', true))"
        )
        connection.execute("GRANT USAGE ON SCHEMA weak TO tenant_runtime_tenants")
        connection.execute("GRANT SELECT ON weak.statements TO tenant_runtime_tenants")
    try:
        with tenants.login(ATTACKER) as connection:
            connection.execute(f"SET app.tenant = '{VICTIM}'")
            assert connection.execute("SELECT count(*) FROM weak.statements").fetchone() == (1,)
    finally:
        with tenants.superuser() as connection:
            connection.execute("DROP SCHEMA weak CASCADE")


def test_a_login_without_its_tenant_sees_nothing(tenants: TwoTenants) -> None:
    stranger = TenantId("no-such-tenant")
    with pytest.raises(Exception, match="no such login"), tenants.runtime.database.tenant(stranger) as connection:
        connection.execute("SELECT 1")

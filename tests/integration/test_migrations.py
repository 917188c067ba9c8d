"""A database of the first release comes to the newest with all that is in it; a newer one is left alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.json import Jsonb
from pydantic import SecretStr
from typer.testing import CliRunner

from tenant_pipeline.cli import main
from tenant_pipeline.core.audit_chain import FIRST_PREVIOUS_HASH, ChainEntry, entry_hash
from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.intake.overruled import OverruledRefusal
from tenant_pipeline.linking.blocking import packed_keys, unpacked_keys
from tenant_pipeline.linking.entity_index import Known
from tenant_pipeline.linking.features import Features
from tenant_pipeline.pentest.canaries import CANARY, CANARY_FEED, CANARY_SOURCE, fill_tables
from tenant_pipeline.services import registry
from tenant_pipeline.services.audit_trail import seal_audit, verify_audit
from tenant_pipeline.services.conflicts.reading import page_of_matrix
from tenant_pipeline.services.coverage.reading import read_coverage
from tenant_pipeline.services.entity_index import PostgresEntityIndex
from tenant_pipeline.services.knowledge_base import list_statements
from tenant_pipeline.services.quarantine_releases import releases_of
from tenant_pipeline.services.runtime import Runtime, connect, open_runtime
from tenant_pipeline.services.sources import get_source
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.database import PLATFORM, login_of
from tenant_pipeline.storage.embedded_postgres import EmbeddedPostgres, running_dsn
from tenant_pipeline.storage.migrations import head_version, known_versions, migrate

FIRST = "0001"
STARTS = [
    ("command", ["-m", "tenant_pipeline", "tenant", "list"]),
    ("server", ["-m", "tenant_pipeline", "workspace", "--port", "0"]),
    ("dagster", ["-c", "from tenant_pipeline.resources.runtime import RuntimeAccess; RuntimeAccess().open()"]),
]
TENANT, OTHER = TenantId("first-tenant"), TenantId("other-tenant")
DROPPED = {"gate_verdicts": {"input_digest"}, "gate_overrides": {"input_digest"}}
"""Columns of the first version that were dropped or renamed on purpose, by table. No other may go."""
CANDIDATE = {"source_id": CANARY_SOURCE, "statement_id": "st-1", "value": "a", "raw_value": "a", "relation": "differs"}


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Path, str]]:
    """A server of its own, and the home that its databases' keys are in."""
    home = Path(tempfile.mkdtemp(prefix="migrations-"))
    home.chmod(0o711)
    try:
        with EmbeddedPostgres(home / "postgres"):
            dsn = running_dsn(home / "postgres")
            assert dsn is not None
            yield home, dsn
    finally:
        shutil.rmtree(home)


@contextmanager
def _database(server: tuple[Path, str], name: str) -> Iterator[Runtime]:
    """An empty database, not yet migrated."""
    _, dsn = server
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    with connect(_settings(server, name)) as runtime:
        yield runtime


def _settings(server: tuple[Path, str], name: str) -> Settings:
    return Settings(home=server[0] / "home", database_dsn=SecretStr(make_conninfo(server[1], dbname=name)))


def _version(runtime: Runtime) -> str | None:
    with runtime.database.administration() as connection:
        there = connection.execute("SELECT to_regclass('public.tenant_runtime_version') AS found").fetchone()
        if not there or there["found"] is None:
            return None
        row = connection.execute("SELECT version_num FROM public.tenant_runtime_version").fetchone()
    return row["version_num"] if row else None


def _rows(runtime: Runtime) -> dict[str, list[dict[str, Any]]]:
    with runtime.database.administration() as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'runtime'::regnamespace AND relkind = 'r'"
        ).fetchall()
        return {
            table["relname"]: connection.execute(f"SELECT * FROM runtime.{table['relname']}").fetchall()  # type: ignore[call-overload]
            for table in tables
        }


def _populate(runtime: Runtime) -> None:
    """Two tenants, one with a row in each of the first version's tables."""
    for tenant in (TENANT, OTHER):
        runtime.database.create_tenant_login(tenant)
    entry = ChainEntry(TENANT, 1, datetime(2026, 1, 2, tzinfo=UTC).isoformat(), "test", "tenant.register", TENANT, {})
    with runtime.database.administration() as connection:
        for tenant in (TENANT, OTHER):
            connection.execute(
                """
                INSERT INTO runtime.tenants
                       (id, name, domain, tier, status, db_schema_name, k8s_namespace, template_version)
                VALUES (%s, %s, 'a.example', 'pilot', 'draft', %s, %s, '1.0.0')
                """,
                (tenant, Jsonb({"th": "ก", "en": "A", "zh": "甲"}), login_of(tenant), f"tenant-{tenant}"),
            )
        connection.execute(
            "INSERT INTO runtime.audit_log VALUES (%s, 1, %s, 'test', 'tenant.register', %s, '{}', %s, %s)",
            (TENANT, entry.at, TENANT, FIRST_PREVIOUS_HASH, entry_hash(entry, FIRST_PREVIOUS_HASH)),
        )
        fill_tables(connection, TENANT)
        connection.execute("UPDATE runtime.conflicts SET candidates = %s", (Jsonb([CANDIDATE]),))
        connection.execute("UPDATE runtime.coverage_scores SET dimension = 'completeness'")
        connection.execute("UPDATE runtime.entities SET type = 'Place'")
        connection.execute("UPDATE runtime.statements SET type = 'Place', property = 'name'")


def test_a_populated_database_of_the_first_version_comes_to_the_newest_whole(server: tuple[Path, str]) -> None:
    with _database(server, "first") as runtime:
        assert migrate(runtime.database, FIRST) == FIRST
        _populate(runtime)
        before = _rows(runtime)
        assert all(before.values()), [table for table, rows in before.items() if not rows]
        head = migrate(runtime.database)
        assert head != FIRST
        assert _version(runtime) == head
        after = _rows(runtime)
        for table, rows in before.items():
            kept = rows[0].keys() - DROPPED.get(table, set())
            assert kept == rows[0].keys() & after[table][0].keys(), table
            told, expected = ([{name: row[name] for name in kept} for row in each] for each in (after[table], rows))
            assert told == expected, table

        # Services work on it, and a tenant sees its own rows alone.
        assert {row["id"] for row in registry.list_tenants(runtime)} == {TENANT, OTHER}
        registry.update_tenant(runtime, TENANT, domain="new.example", person="test")
        seal_audit(runtime, TENANT)
        (report,) = verify_audit(runtime, TENANT)
        assert report["intact"], report
        for tenant, seen in ((TENANT, [CANARY_SOURCE]), (OTHER, [])):
            with runtime.database.tenant(tenant) as connection:
                rows = connection.execute("SELECT id FROM runtime.tenant_sources").fetchall()
            assert [row["id"] for row in rows] == seen
            items = page_of_matrix(runtime, tenant, limit=10).items
            assert [list(item["cells"]) for item in items] == [[source] for source in seen]
            everything: dict[str, Any] = {"source": None, "canonical_id": None, "property_": None, "limit": 10}
            said = list_statements(runtime, tenant, **everything)
            assert [(each["source_id"], each["value"]) for each in said] == [(source, CANARY) for source in seen]
            assert read_coverage(runtime, tenant), "it is counted anew"
            scored = [each.as_json() for each in read_coverage(runtime, tenant, CANARY_SOURCE)]
            assert [each["dimension"] for each in scored] == ["completeness" for _ in seen]
        assert migrate(runtime.database, FIRST) == head  # never back


def test_what_was_last_seen_before_its_source_was_assembled_is_retired(server: tuple[Path, str]) -> None:
    with _database(server, "retired") as runtime:
        migrate(runtime.database, "0029")
        runtime.database.create_tenant_login(TENANT)
        days = [datetime(2026, 1, day, tzinfo=UTC) for day in (2, 3)]
        with runtime.database.administration() as connection:
            connection.execute(
                """
                INSERT INTO runtime.tenants
                       (id, name, domain, tier, status, db_schema_name, k8s_namespace, template_version)
                VALUES (%s, %s, 'a.example', 'pilot', 'draft', %s, %s, '1.0.0')
                """,
                (TENANT, Jsonb({"th": "ก", "en": "A", "zh": "甲"}), login_of(TENANT), f"tenant-{TENANT}"),
            )
            for source, assembled in ((CANARY_SOURCE, days[1]), (f"src-{2:016x}", None)):
                connection.execute(
                    """
                    INSERT INTO runtime.tenant_sources
                           (tenant_id, id, origin, unit_mode, title, unit_digest, ingest_status, authority_rank,
                            received_by, assembled_at)
                    VALUES (%s, %s, 'regulator', 'single-file', 'a', repeat('0', 64), 'assembled', 2, 'test', %s)
                    """,
                    (TENANT, source, assembled),
                )
                for statement, seen in zip(("old", "new"), days, strict=True):
                    connection.execute(
                        """
                        INSERT INTO runtime.statements
                               (tenant_id, source_id, statement_id, entity_id, canonical_id, type, property, value,
                                raw_value, lang, datatype, locator, method, valid_from, valid_to, first_seen, last_seen)
                        VALUES (%s, %s, %s, 'e', 'c', 'Place', 'name', 'a', 'a', 'en', 'text', '', 'm', '', '', %s, %s)
                        """,
                        (TENANT, source, statement, days[0], seen),
                    )
            query = "SELECT source_id, statement_id FROM runtime.statement_facts ORDER BY 1, 2"
            before = connection.execute(query).fetchall()
        migrate(runtime.database)
        with runtime.database.administration() as connection:
            assert connection.execute(query).fetchall() == before
            retired = connection.execute(
                """
                SELECT source_id, statement_id, retired_at, last_seen FROM runtime.statements
                 WHERE retired_at IS NOT NULL
                """
            ).fetchall()
        expected = {"source_id": CANARY_SOURCE, "statement_id": "old", "retired_at": days[1], "last_seen": days[0]}
        assert retired == [expected]


def test_what_was_released_before_contents_were_noted_stays_so_for_its_own_version(server: tuple[Path, str]) -> None:
    with _database(server, "releases") as runtime:
        migrate(runtime.database, "0047")
        runtime.database.create_tenant_login(TENANT)
        day = [datetime(2026, 1, number, tzinfo=UTC) for number in range(1, 6)]
        feed, upload = CANARY_SOURCE, f"src-{2:016x}"
        with runtime.database.administration() as connection:
            connection.execute(
                """
                INSERT INTO runtime.tenants
                       (id, name, domain, tier, status, db_schema_name, k8s_namespace, template_version)
                VALUES (%s, %s, 'a.example', 'pilot', 'draft', %s, %s, '1.0.0')
                """,
                (TENANT, Jsonb({"th": "ก", "en": "A", "zh": "甲"}), login_of(TENANT), f"tenant-{TENANT}"),
            )
            for source in (feed, upload):
                connection.execute(
                    """
                    INSERT INTO runtime.tenant_sources
                           (tenant_id, id, origin, unit_mode, title, unit_digest, ingest_status, authority_rank,
                            received_by)
                    VALUES (%s, %s, 'regulator', 'single-file', 'a', repeat('3', 64), 'assembled', 2, 'test')
                    """,
                    (TENANT, source),
                )
            for number, (action, at) in enumerate([("source.add", day[0]), ("source.renewed", day[2])], 1):
                connection.execute(
                    "INSERT INTO runtime.audit_log VALUES (%s, %s, %s, 'test', %s, %s, %s, %s, %s)",
                    (TENANT, number, at, action, feed, Jsonb({"unit_digest": str(number) * 64}), "", str(number)),
                )
            for source, locator, at in ((feed, "file=1", day[1]), (feed, "file=2", day[3]), (upload, "file=1", day[1])):
                connection.execute(
                    """
                    INSERT INTO runtime.quarantine_releases
                           (tenant_id, source_id, stage, locator, code, person, role, reason, released_at)
                    VALUES (%s, %s, 'receive', %s, 'malware', 'ann', 'founder', 'seen', %s)
                    """,
                    (TENANT, source, locator, at),
                )
        migrate(runtime.database)
        with runtime.database.administration() as connection:
            rows = connection.execute("SELECT * FROM runtime.quarantine_releases").fetchall()
            assert {(row["source_id"], row["locator"]): row["unit_digest"] for row in rows} == {
                (feed, "file=1"): "1" * 64,
                (feed, "file=2"): "2" * 64,
                (upload, "file=1"): "3" * 64,
            }
            connection.execute("UPDATE runtime.tenant_sources SET unit_digest = repeat('2', 64) WHERE id = %s", (feed,))
        with runtime.database.tenant(TENANT) as connection:
            source_now = get_source(connection, TENANT, SourceId(feed))
            assert [each.release for each in releases_of(connection, source_now)] == [
                OverruledRefusal("file=2", "malware", "")
            ]
        with runtime.database.administration() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE runtime.quarantine_releases SET reason = 'another'")


def test_what_was_taken_in_and_judged_is_known_by_its_outputs(server: tuple[Path, str]) -> None:
    with _database(server, "outputs") as runtime:
        migrate(runtime.database, "0047")
        runtime.database.create_tenant_login(TENANT)
        with runtime.database.administration() as connection:
            connection.execute(
                """
                INSERT INTO runtime.tenants
                       (id, name, domain, tier, status, db_schema_name, k8s_namespace, template_version)
                VALUES (%s, %s, 'a.example', 'pilot', 'draft', %s, %s, '1.0.0')
                """,
                (TENANT, Jsonb({"th": "ก", "en": "A", "zh": "甲"}), login_of(TENANT), f"tenant-{TENANT}"),
            )
            connection.execute(
                """
                INSERT INTO runtime.tenant_sources
                       (tenant_id, id, origin, unit_mode, title, unit_digest, ingest_status, authority_rank,
                        received_by)
                SELECT %s, id, 'regulator', 'single-file', 'a', repeat('0', 64), 'assembled', 2, 'test'
                  FROM unnest(%s::text[]) AS new (id)
                """,
                (TENANT, [CANARY_SOURCE, f"src-{2:016x}"]),
            )
            for day, (stage, taken, code, made) in enumerate(
                [
                    ("screen", "extracted", "s-1", "screened before"), ("screen", "extracted", "s-2", "screened"),
                    ("screen", "extracted", "s-3", "screened after"), ("link", "validated", "l-1", "linked before"),
                    ("link", "validated now", "l-2", "linked"), ("assemble", "linked", "a-2", "assembled"),
                ], 1,
            ):  # fmt: skip
                connection.execute(
                    """
                    INSERT INTO runtime.stage_runs
                           (tenant_id, source_id, stage, input_digest, code_version, output_digest, counts, rows_in,
                            rows_out, rows_rejected, rows_quarantined, reject_codes, seconds, finished_at)
                    VALUES (%s, %s, %s, %s, %s, %s, '[]', 0, 0, 0, 0, '{}', 0, %s)
                    """,
                    (TENANT, CANARY_SOURCE, stage, taken, code, made, datetime(2026, 1, day, tzinfo=UTC)),
                )
            connection.execute(
                """
                INSERT INTO runtime.gate_verdicts (tenant_id, source_id, gate, input_digest, band, reasons, findings)
                VALUES (%s, %s, 'pii', 'extracted', 'fail', '[]', '[]')
                """,
                (TENANT, CANARY_SOURCE),
            )
            connection.execute(
                """
                INSERT INTO runtime.gate_overrides (tenant_id, id, source_id, gate, input_digest, person, role, reason,
                                                    created_at, expires_at)
                VALUES (%s, gen_random_uuid(), %s, 'pii', 'extracted', 'ann', 'founder', 'seen', '2026-01-02 12:00Z',
                        '2026-02-02')
                """,
                (TENANT, CANARY_SOURCE),
            )
            connection.execute(
                """
                INSERT INTO runtime.uploads (tenant_id, id, path, length, person, expires_at, ended_at)
                VALUES (%(tenant)s, repeat('0', 32), 'ended.csv', 1, 'ann', now() + interval '1 day', now()),
                       (%(tenant)s, repeat('1', 32), 'expired.csv', 1, 'ann', now(), NULL),
                       (%(tenant)s, repeat('2', 32), 'goes on.csv', 1, 'ann', now() + interval '1 day', NULL)
                """,
                {"tenant": TENANT},
            )
            connection.execute(
                """
                INSERT INTO runtime.feeds
                       (tenant_id, id, title, url, origin, cron, time_zone, source_id, due_at, created_by)
                VALUES (%s, %s, 'a', 'https://a.example', 'regulator', '0 6 * * *', 'Asia/Bangkok', %s, now(), 'ann')
                """,
                (TENANT, CANARY_FEED, CANARY_SOURCE),
            )
            connection.execute(
                """
                INSERT INTO runtime.feed_versions
                       (tenant_id, feed_id, number, unit_digest, profile, reasons, fetched_at)
                VALUES (%(tenant)s, %(feed)s, 1, repeat('0', 64), '{"rows": 3, "schemas": [["สมชาย ใจดี"]]}',
                        '[]', now()),
                       (%(tenant)s, %(feed)s, 2, repeat('1', 64), '{"rows": 1, "schemas": [["John Carter"]]}',
                        '["shrunk: from 3 rows to 1", "schema-changed: without สมชาย ใจดี, with John Carter"]', now())
                """,
                {"tenant": TENANT, "feed": CANARY_FEED},
            )
        migrate(runtime.database)
        with runtime.database.tenant(TENANT) as connection:
            profiles = connection.execute(
                "SELECT profile, reasons FROM runtime.feed_versions ORDER BY number"
            ).fetchall()
            assert [(row["profile"], row["reasons"]) for row in profiles] == [
                ({"rows": 3}, []), ({"rows": 1}, ["shrunk: from 3 rows to 1", "schema-changed: other fields"])
            ], "what the fields of a feed were called is not kept as it came"  # fmt: skip
            taken_in = connection.execute(
                "SELECT id, taken_in, taking FROM runtime.tenant_sources ORDER BY 1"
            ).fetchall()
            judged = connection.execute(
                "SELECT verdict.output_digest AS verdict, given.output_digest AS override"
                "  FROM runtime.gate_verdicts AS verdict, runtime.gate_overrides AS given"
            ).fetchall()
            uploads = connection.execute("SELECT path, ended_at IS NULL AS on_its_way FROM runtime.uploads ORDER BY id")
            assert [(row["path"], row["on_its_way"]) for row in uploads] == [
                ("-", False), ("-", False), ("goes on.csv", True)
            ], "what an upload was called goes with it"  # fmt: skip
        assert taken_in == [
            {"id": f"src-{2:016x}", "taken_in": "", "taking": 0},
            {"id": CANARY_SOURCE, "taken_in": "validated now l a", "taking": 1},
        ]
        assert judged == [{"verdict": "screened after", "override": "screened"}]


def test_what_was_found_by_a_blocking_key_is_found_by_its_digest(server: tuple[Path, str]) -> None:
    with _database(server, "blocking") as runtime:
        migrate(runtime.database, "0030")
        entities = ("can-" + "1" * 24, "can-" + "2" * 24)
        with runtime.database.administration() as connection:
            for tenant in (TENANT, OTHER):
                names = Jsonb({"th": "ก", "en": "A", "zh": "甲"})
                connection.execute(
                    """
                    INSERT INTO runtime.tenants
                           (id, name, domain, tier, status, db_schema_name, k8s_namespace, template_version)
                    VALUES (%s, %s, 'a.example', 'pilot', 'draft', %s, %s, '1.0.0')
                    """,
                    (tenant, names, login_of(tenant), f"tenant-{tenant}"),
                )
                for entity in entities:
                    connection.execute(
                        "INSERT INTO runtime.entities (tenant_id, canonical_id, type, created_by_source)"
                        " VALUES (%s, %s, 'EventVenue', %s)",
                        (tenant, entity, CANARY_SOURCE),
                    )
                    for kind, type_, scheme, value in (
                        ("blocking", "Place", "name", "ศาลาประชาคม"),
                        ("identifier", "EventVenue", "identifier", f"{tenant} {entity}"),
                    ):
                        connection.execute(
                            "INSERT INTO runtime.entity_keys (tenant_id, kind, type, scheme, value, canonical_id)"
                            " VALUES (%s, %s, %s, %s, %s, %s)",
                            (tenant, kind, type_, scheme, value, entity),
                        )
        migrate(runtime.database)
        for tenant in (TENANT, OTHER):
            runtime.database.create_tenant_login(tenant)
            with runtime.database.tenant(tenant) as connection:
                index = PostgresEntityIndex(connection, tenant, CANARY_SOURCE)
                hall, identifier = Features("e", "EventVenue"), ("identifier", f"{tenant} {entities[0]}")
                hall.add("name", "ศาลาประชาคม", "th", identifying=False)
                found = index.by_blocking_key(unpacked_keys(packed_keys("Place", hall)))
                assert list(found.values()) == [[Known(entity, entity) for entity in entities]]
                assert index.by_identifier("EventVenue", [identifier])[identifier].home_id == entities[0]
                kept = connection.execute("SELECT DISTINCT kind FROM runtime.entity_keys").fetchall()
                assert kept == [{"kind": "identifier"}]


def test_the_versions_told_by_their_files_are_those_of_the_chain() -> None:
    config = Config()
    config.set_main_option("script_location", "tenant_pipeline.storage:migrations")
    chain = ScriptDirectory.from_config(config)
    assert chain.get_heads() == [head_version()]
    assert {script.revision for script in chain.walk_revisions()} == known_versions()


def test_a_newer_database_is_refused_and_left_alone(server: tuple[Path, str]) -> None:
    with _database(server, "newer") as runtime:
        migrate(runtime.database)
        with runtime.database.administration() as connection:
            connection.execute("UPDATE public.tenant_runtime_version SET version_num = '9999'")
        with pytest.raises(SettingsError) as caught, open_runtime(_settings(server, "newer")):
            pass
        for said in ("9999", head_version()):
            assert said in caught.value.what
        assert "newer release" in caught.value.remedy
        assert "backup" in caught.value.remedy
        assert _version(runtime) == "9999"


@pytest.mark.parametrize("start", STARTS, ids=lambda start: start[0])
def test_no_process_of_an_older_release_starts_on_a_newer_database(
    server: tuple[Path, str], start: tuple[str, list[str]]
) -> None:
    name, command = start
    with _database(server, f"downgrade_{name}") as runtime:
        migrate(runtime.database)
        with runtime.database.administration() as connection:
            connection.execute("UPDATE public.tenant_runtime_version SET version_num = '9999'")
        settings = _settings(server, f"downgrade_{name}")
        assert settings.database_dsn is not None
        refused = subprocess.run(
            [sys.executable, *command],
            env={
                "PATH": os.environ["PATH"],
                "TENANT_RUNTIME_HOME": str(settings.home),
                "TENANT_RUNTIME_DATABASE_DSN": settings.database_dsn.get_secret_value(),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert refused.returncode != 0
        told = " ".join((refused.stdout + refused.stderr).split())
        assert "9999" in told, told[-2000:]
        assert head_version() in told
        assert "newer release" in told
        assert _version(runtime) == "9999"


def _platform_comes_in(runtime: Runtime) -> bool:
    try:
        psycopg.connect(runtime.database.platform_conninfo()).close()
    except psycopg.OperationalError:
        return False
    return True


def _full_for_the_platform(connect_to: Callable[..., Any]) -> Callable[..., Any]:
    """A server that keeps its last connections for the superuser."""

    def connecting(conninfo: str, **options: Any) -> Any:
        if conninfo_to_dict(conninfo).get("user") == PLATFORM:
            raise psycopg.OperationalError("FATAL:  sorry, too many clients already")
        return connect_to(conninfo, **options)

    return connecting


def test_with_another_keys_folder_nothing_is_migrated_and_nobody_is_locked_out_but_on_purpose(
    server: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _database(server, "first_installation") as runtime, _database(server, "second_installation") as empty:
        migrate(runtime.database, FIRST)
        for ours, before in ((runtime, FIRST), (empty, None)):
            other = ours.settings.model_copy(update={"home": tmp_path / "other"})
            with pytest.raises(SettingsError, match="keys folder is not the one"), open_runtime(other):
                pass
            with monkeypatch.context() as patched:
                patched.setattr(psycopg, "connect", _full_for_the_platform(psycopg.connect))
                with pytest.raises(SettingsError, match="could not be found out"), open_runtime(other):
                    pass
            assert _version(ours) == before
            assert _platform_comes_in(runtime)
        migrate(runtime.database)
        with connect(runtime.settings.model_copy(update={"home": tmp_path / "other"})) as other_keys:
            migrate(other_keys.database, set_logins=True)
            assert (_platform_comes_in(other_keys), _platform_comes_in(runtime)) == (True, False)
        assert runtime.settings.database_dsn is not None
        monkeypatch.setenv("TENANT_RUNTIME_HOME", str(runtime.settings.home))
        monkeypatch.setenv("TENANT_RUNTIME_DATABASE_DSN", runtime.settings.database_dsn.get_secret_value())
        repaired = CliRunner().invoke(main.app, ["migrate", "--set-logins"])
        assert repaired.exit_code == 0, repaired.output
        assert _platform_comes_in(runtime)


def test_of_several_that_migrate_at_once_one_does(server: tuple[Path, str]) -> None:
    with _database(server, "together") as runtime, ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(lambda _: migrate(runtime.database), range(4)))
        assert len(set(versions)) == 1
        assert _version(runtime) == versions[0]


KILLED = """
import os, signal, sys
from pathlib import Path
from pydantic import SecretStr
from tenant_pipeline.services.runtime import open_runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.migrations import sql_files

def dies(version, subjects, run_sql=sql_files.run_sql):
    run_sql(version, subjects)
    if version == "0011":
        os.kill(os.getpid(), signal.SIGKILL)

sql_files.run_sql = dies
with open_runtime(Settings()):
    pass
"""


def test_killed_in_the_middle_it_is_done_again(server: tuple[Path, str]) -> None:
    with _database(server, "killed") as runtime:
        migrate(runtime.database, FIRST)
        settings = _settings(server, "killed")
        assert settings.database_dsn is not None
        died = subprocess.run(
            [sys.executable, "-c", KILLED],
            env={
                "TENANT_RUNTIME_HOME": str(settings.home),
                "TENANT_RUNTIME_DATABASE_DSN": settings.database_dsn.get_secret_value(),
            },
            check=False,
        )
        assert died.returncode == -signal.SIGKILL
        assert _version(runtime) == FIRST
        with open_runtime(settings) as again:
            assert _version(again) == migrate(again.database)
            with again.database.platform() as connection:
                assert connection.execute("SELECT count(*) AS n FROM runtime.tenants").fetchone() == {"n": 0}

"""A database as others run it: administered by a role that is no superuser, with PgBouncer in front."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tenant_pipeline.cli.doctor.database import pooler
from tenant_pipeline.cli.doctor.finding import Patient, Verdict
from tenant_pipeline.core.errors import NotFoundError, SettingsError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.backup.restoring import restore
from tenant_pipeline.services.backup.taking import take_backup
from tenant_pipeline.services.runtime import Runtime, connect, open_runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.dagster_database import ensure_dagster_database
from tenant_pipeline.storage.database import GOVERNANCE, PLATFORM, instance_login_of, login_of
from tenant_pipeline.storage.embedded_postgres import INSTANCES_GID, EmbeddedPostgres, running_dsn
from tenant_pipeline.storage.sealed_file import Opener, new_recovery_key
from tests.ports import free_port
from tests.registered import registered

ROOT = Path(__file__).parents[2]
POOLER = ROOT / "deploy" / "pgbouncer" / "pgbouncer.ini"
ADMINISTRATION, PASSWORD = "city_administration", "correct horse"
OURS, THEIRS = TenantId("our-tenant"), TenantId("their-tenant")


@pytest.fixture(scope="module")
def superuser() -> Iterator[str]:
    """A server of its own, with a role that may make roles and databases, and a database that it owns."""
    with tempfile.TemporaryDirectory(prefix="tenant-runtime-test-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedPostgres(Path(folder) / "postgres"):
            dsn = running_dsn(Path(folder) / "postgres")
            assert dsn is not None
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute(f"CREATE ROLE {ADMINISTRATION} LOGIN CREATEROLE CREATEDB PASSWORD '{PASSWORD}'")
                connection.execute(f"CREATE DATABASE city OWNER {ADMINISTRATION}")
            yield dsn


@pytest.fixture(scope="module")
def runtime(superuser: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """The runtime in that database, as that role, with two tenants."""
    dsn = make_conninfo(superuser, user=ADMINISTRATION, password=PASSWORD, dbname="city")
    with open_runtime(Settings(home=tmp_path_factory.mktemp("home"), database_dsn=dsn)) as opened:
        for tenant in (OURS, THEIRS):
            registered(opened, tenant)
        yield opened


def _tenants_seen(runtime: Runtime, tenant: TenantId) -> set[str]:
    with runtime.database.tenant(tenant) as connection:
        return {row["id"] for row in connection.execute("SELECT id FROM runtime.tenants").fetchall()}


def test_the_administration_role_is_no_superuser_and_tenants_see_themselves_only(runtime: Runtime) -> None:
    with runtime.database.administration() as connection:
        (row,) = connection.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    assert row == {"rolsuper": False, "rolbypassrls": False}
    assert _tenants_seen(runtime, OURS) == {OURS}
    with runtime.database.platform() as connection:
        assert len(connection.execute("SELECT id FROM runtime.tenants").fetchall()) == 2


def test_an_instances_login_is_made_rotated_and_dropped_without_a_superuser(runtime: Runtime) -> None:
    database = runtime.database
    database.create_instance_login(OURS)
    database.create_instance_login(OURS)
    before = database.instance_conninfo(OURS)
    psycopg.connect(before).close()
    database.rotate_instance_login(OURS)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(before)
    psycopg.connect(database.instance_conninfo(OURS)).close()
    database.drop_instance_login(OURS)
    with pytest.raises(NotFoundError):
        database.rotate_instance_login(OURS)


def test_powers_that_an_instances_login_was_given_are_taken_from_it(runtime: Runtime) -> None:
    runtime.database.create_instance_login(THEIRS)
    role = instance_login_of(THEIRS)
    with runtime.database.administration() as connection:
        connection.execute(f"ALTER ROLE {role} CREATEROLE CREATEDB")
    runtime.database.create_instance_login(THEIRS)
    with runtime.database.administration() as connection:
        (row,) = connection.execute("SELECT rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %s", (role,))
    assert row == {"rolcreaterole": False, "rolcreatedb": False}


def test_dagster_gets_its_database_without_a_superuser(runtime: Runtime) -> None:
    url = ensure_dagster_database(runtime.database)
    assert ensure_dagster_database(runtime.database) == url
    psycopg.connect(url.replace("+psycopg2", "")).close()


def test_a_role_that_is_told_two_things_more_takes_and_restores_backups(
    runtime: Runtime, superuser: str, tmp_path: Path
) -> None:
    recipient = new_recovery_key(tmp_path / "recovery.pem", "a long passphrase")
    with pytest.raises(SettingsError, match="may not read every row"):
        take_backup(runtime, tmp_path / "backups", recipient)
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {ADMINISTRATION} BYPASSRLS")
        connection.execute(f"GRANT SET ON PARAMETER session_replication_role TO {ADMINISTRATION}")
        connection.execute(f"CREATE DATABASE restored OWNER {ADMINISTRATION}")
    try:
        snapshot = take_backup(runtime, tmp_path / "backups", recipient)["snapshot"]
        dsn = make_conninfo(superuser, user=ADMINISTRATION, password=PASSWORD, dbname="restored")
        settings = Settings(home=tmp_path / "home", database_dsn=dsn)
        opener = Opener(tmp_path / "recovery.pem", "a long passphrase")
        done = restore(settings, tmp_path / "backups", opener, snapshot, actor="operator", signed_by=None)
        assert set(done["tenants"]) == {OURS, THEIRS}
        assert all(row["intact"] for row in done["audit"])
    finally:
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute(f"ALTER ROLE {ADMINISTRATION} NOBYPASSRLS")


def test_each_database_behind_the_pooler_has_a_bound_that_any_of_its_logins_may_come_to() -> None:
    settings = ConfigParser()
    settings.read(POOLER)
    databases = dict(settings["databases"])
    most = [int(each) for said in databases.values() for each in re.findall(r"\bmax_db_connections=(\d+)", said)]
    assert databases.keys() == {"city", "tenant_runtime_dagster"}
    assert len(most) == 2, "a bound for all counts for each database, and not for the server"
    assert sum(most) <= 180, "a server of 200 keeps some for others"
    assert int(settings["pgbouncer"]["default_pool_size"]) >= max(most), "every process holds sessions as the platform"


@contextmanager
def pgbouncer(superuser: str, folder: Path, pool_mode: str) -> Iterator[int]:
    """A real PgBouncer with the settings of deploy/, but for its addresses; yields its port.

    Meanwhile the administration role may do what backups take.
    """
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("no pgbouncer: `apt-get install pgbouncer` (Debian)")
    server = conninfo_to_dict(superuser)
    with psycopg.connect(superuser, dbname="city", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'pgbouncer'").fetchone():
            connection.execute("CREATE ROLE pgbouncer LOGIN PASSWORD 'of the pooler'")
            connection.execute("GRANT CONNECT ON DATABASE city TO pgbouncer")
            connection.execute((ROOT / "deploy" / "pgbouncer" / "auth.sql").read_text().encode())
        connection.execute(f"ALTER ROLE {ADMINISTRATION} BYPASSRLS")
    port = free_port()
    settings = POOLER.read_text()
    for pattern, said in (
        (r"^city = .*", f"city = host={server['host']} port={server['port']} max_db_connections=12"),
        (r"^listen_port = .*", f"listen_port = {port}"),
        (r"^auth_file = .*", f"auth_file = {folder / 'userlist.txt'}"),
        (r"^pool_mode = .*", f"pool_mode = {pool_mode}"),
    ):
        settings, changed = re.subn(pattern, said, settings, flags=re.MULTILINE)
        assert changed == 1
    (folder / "pgbouncer.ini").write_text(settings)
    users = {"pgbouncer": "of the pooler", ADMINISTRATION: PASSWORD}
    (folder / "userlist.txt").write_text("".join(f'"{user}" "{password}"\n' for user, password in users.items()))
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)

    def become_somebody() -> None:
        if os.geteuid() == 0:  # PgBouncer refuses to be root; this group may come to the server's socket
            os.setgroups([INSTANCES_GID])
            os.setgid(INSTANCES_GID)
            os.setuid(INSTANCES_GID)

    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, folder / "pgbouncer.ini"], stdout=log, stderr=log, cwd="/", preexec_fn=become_somebody
        )
    try:
        _await_port(port, process, folder / "log")
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute(f"ALTER ROLE {ADMINISTRATION} NOBYPASSRLS")


def _await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"pgbouncer does not answer: {log.read_text()}")


@pytest.fixture(params=["session", "transaction"])
def pooled(request: pytest.FixtureRequest, superuser: str, runtime: Runtime) -> Iterator[tuple[str, Runtime]]:
    """The same installation, reached through PgBouncer, and how it pools."""
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as folder:
        Path(folder).chmod(0o755)
        with pgbouncer(superuser, Path(folder), request.param) as port:
            dsn = make_conninfo(
                host="127.0.0.1", port=port, user=ADMINISTRATION, password=PASSWORD, dbname="city", sslmode="disable"
            )
            with connect(Settings(home=runtime.settings.home, database_dsn=dsn)) as through:
                yield request.param, through


def test_through_the_pooler_each_login_is_still_itself(pooled: tuple[str, Runtime]) -> None:
    _, runtime = pooled
    for tenant in (OURS, THEIRS) * 4:
        with runtime.database.tenant(tenant) as connection:
            (row,) = connection.execute("SELECT session_user AS login, app.my_tenant() AS tenant")
        assert row == {"login": login_of(tenant), "tenant": tenant}
        assert _tenants_seen(runtime, tenant) == {tenant}
    for role, opened in ((PLATFORM, runtime.database.platform), (GOVERNANCE, runtime.database.governance)):
        with opened() as connection:
            (row,) = connection.execute("SELECT session_user AS login")
        assert row == {"login": role}
    with psycopg.connect(runtime.database.conninfo()) as administration:
        found = administration.execute("SELECT rolname, rolbypassrls FROM pg_roles WHERE rolname = session_user")
        assert found.fetchone() == (ADMINISTRATION, True), "it comes in although backups take BYPASSRLS"


def test_through_the_pooler_no_superuser_and_no_wrong_password_comes_in(
    pooled: tuple[str, Runtime], superuser: str
) -> None:
    _, runtime = pooled
    dsn = runtime.database.conninfo()
    login = conninfo_to_dict(superuser)
    for user, password in ((login["user"], login["password"]), (login_of(OURS), "wrong")):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(dsn, user=str(user), password=str(password))


def test_a_tenant_that_registers_comes_in_through_the_pooler_at_once(pooled: tuple[str, Runtime]) -> None:
    mode, runtime = pooled
    tenant = registered(runtime, f"new-in-{mode}")
    assert _tenants_seen(runtime, tenant) == {tenant}


def test_what_is_notified_is_heard_where_connections_are_pooled_by_session(pooled: tuple[str, Runtime]) -> None:
    mode, runtime = pooled
    with psycopg.connect(runtime.database.platform_conninfo(), autocommit=True) as connection:
        connection.execute("LISTEN told")
        with runtime.database.platform() as other:
            other.execute("NOTIFY told, 'something'")
        heard = [each.payload for each in connection.notifies(timeout=2, stop_after=1)]
    assert heard == (["something"] if mode == "session" else [])


def test_the_doctor_tells_a_pooler_that_keeps_no_session_though_nobody_else_is_there(
    pooled: tuple[str, Runtime],
) -> None:
    mode, runtime = pooled
    found = pooler(Patient(runtime.settings, runtime.database.conninfo()))
    assert found.verdict is (Verdict.FINE if mode == "session" else Verdict.ADVICE)

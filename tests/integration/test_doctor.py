"""What the doctor is for is made wrong here, one thing at a time; it finds it and says a remedy.

No finding repeats a secret, and none keeps the others from being made.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from tenant_pipeline.cli.doctor import database, machine
from tenant_pipeline.cli.doctor.command import examine
from tenant_pipeline.cli.doctor.database import is_english
from tenant_pipeline.cli.doctor.examinations import EXAMINATIONS
from tenant_pipeline.cli.doctor.finding import Patient, Verdict
from tenant_pipeline.cli.doctor.work import approvals
from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.services import roles
from tenant_pipeline.services.approvals.handing_over import delegate, revoke, withdraw
from tenant_pipeline.services.cost.billing import prices
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.dagster_database import ensure_dagster_database
from tenant_pipeline.storage.migrations import head_version
from tests.installed import migrated_home
from tests.integration.approval_steps import REVIEW, ask_for_overdue_release, say, staffed_tenant
from tests.integration.conftest import VICTIM
from tests.registered import registered
from tests.system.conftest import Installation

Wrong = AbstractContextManager[Patient]


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with migrated_home() as home, open_runtime(Settings(home=home)) as runtime:
        registered(runtime, VICTIM)
        ensure_dagster_database(runtime.database)
        # As a superuser who does what nobody may.
        for table in ("audit_log", "approval_requests", "provisioning_operations", "tenant_sources"):
            executes(runtime, f"ALTER TABLE runtime.{table} DISABLE TRIGGER USER")
        yield runtime


@pytest.fixture
def patient(runtime: Runtime) -> Patient:
    return Patient(runtime.settings, runtime.database.conninfo(), lives=True)


def executes(runtime: Runtime, *statements: str) -> None:
    with runtime.database.autocommit() as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def statement(do: str, undo: str, patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    """Wrong for as long as a statement holds."""
    executes(runtime, do)
    try:
        yield patient
    finally:
        executes(runtime, undo)


@contextmanager
def setting(name: str, value: Any, patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    """Wrong by a setting."""
    yield replace(patient, settings=patient.settings.model_copy(update={name: value}))


@contextmanager
def variable(name: str, value: str, patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    """Wrong by a variable of the environment."""
    before = os.environ.get(name)
    os.environ[name] = value
    tempfile.tempdir = None
    try:
        yield patient
    finally:
        os.environ.pop(name)
        tempfile.tempdir = None
        if before is not None:
            os.environ[name] = before


@contextmanager
def moved_away(of: Callable[[Settings], Path], patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    """Wrong because a file is not there."""
    path = of(patient.settings)
    path.rename(path.with_name(f"{path.name}.away"))
    try:
        yield patient
    finally:
        path.with_name(f"{path.name}.away").rename(path)


@contextmanager
def few_descriptors(patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    try:
        yield patient
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def somebody_elses_port(patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        threading.Thread(target=lambda: [connection.close() for connection in _accepted(taken)], daemon=True).start()
        yield replace(patient, settings=patient.settings.model_copy(update={"workspace_port": taken.getsockname()[1]}))


def _accepted(taken: socket.socket) -> Iterator[socket.socket]:
    while True:
        try:
            yield taken.accept()[0]
        except OSError:
            return


@contextmanager
def another_encoding(patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    executes(
        runtime, "CREATE DATABASE ascii_only ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'"
    )
    try:
        yield replace(patient, database=make_conninfo(patient.database or "", dbname="ascii_only"))
    finally:
        executes(runtime, "DROP DATABASE ascii_only WITH (FORCE)")


@contextmanager
def a_lesser_role(patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    executes(runtime, "CREATE ROLE lesser LOGIN PASSWORD 'secretword-of-lesser'")
    executes(runtime, "GRANT CONNECT ON DATABASE postgres TO lesser")
    try:
        yield replace(
            patient, database=make_conninfo(patient.database or "", user="lesser", password="secretword-of-lesser")
        )
    finally:
        executes(runtime, "REVOKE ALL ON DATABASE postgres FROM lesser", "DROP ROLE lesser")


@contextmanager
def no_server(patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    dsn = SecretStr("postgresql://owner:secretword-of-owner@127.0.0.1:9/x")
    yield replace(patient, settings=patient.settings.model_copy(update={"database_dsn": dsn}), database=None)


@contextmanager
def other_keys(patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    path = patient.settings.keys_directory / "master.key"
    before = path.read_bytes()
    path.write_bytes(os.urandom(32))
    try:
        yield patient
    finally:
        path.write_bytes(before)


@contextmanager
def damaged_key(patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    path = patient.settings.keys_directory / "tenants" / VICTIM / "raw-zone"
    before = path.read_bytes()
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    try:
        yield patient
    finally:
        path.write_bytes(before)


@contextmanager
def open_to_others(patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    path = patient.settings.keys_directory / "master.key"
    path.chmod(0o644)
    try:
        yield patient
    finally:
        path.chmod(0o600)


@contextmanager
def at_another_time(by: timedelta, patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    """This machine's clock is wrong: told so, as the machine's own cannot be set here."""
    yield replace(patient, now=lambda: datetime.now(UTC) + by)


class Provider(BaseHTTPRequestHandler):
    """An OpenID provider that calls itself otherwise."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"issuer": "https://another.example", "jwks_uri": "https://x.example"}).encode())

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def another_provider(patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    with HTTPServer(("127.0.0.1", 0), Provider) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        issuer = f"http://127.0.0.1:{server.server_address[1]}"
        yield replace(patient, settings=patient.settings.model_copy(update={"oidc_issuer": issuer}))
        server.shutdown()


@contextmanager
def a_file(name: str, content: str | bytes, patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    path = patient.settings.home / f"{name}.given"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    yield replace(patient, settings=patient.settings.model_copy(update={name: path}))


class ClusterOfOthers(BaseHTTPRequestHandler):
    """An API server that says which it is, and lets us do nothing."""

    def do_GET(self) -> None:
        known = self.path == "/version"
        self.send_response(200 if known else 403)
        self.end_headers()
        self.wfile.write(b'{"gitVersion": "v1.30.0"}' if known else b"{}")

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def no_rights_in_the_cluster(patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    with HTTPServer(("127.0.0.1", 0), ClusterOfOthers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        kubeconfig = patient.settings.home / "kubeconfig.given"
        named = [{"name": "x", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}]
        context = [{"name": "x", "context": {"cluster": "x", "user": ""}}]
        kubeconfig.write_text(json.dumps({"clusters": named, "contexts": context, "current-context": "x", "users": []}))
        content = CLUSTER.replace("/nowhere/kubeconfig", str(kubeconfig))
        with a_file("kubernetes_configuration", content, patient, runtime) as ill:
            yield ill
        server.shutdown()


@contextmanager
def a_file_in_place(of: Callable[[Settings], Path], patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    """Where a folder or a file of ours should be, there is some other file."""
    path = of(patient.settings)
    path.parent.mkdir(exist_ok=True)
    path.write_text("this is something else")
    try:
        yield patient
    finally:
        path.unlink()


@contextmanager
def sandboxed_already(patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    """The kernel's Landlock has no more layers to give: whoever examines this is in as many as there may be."""
    real = machine.isolate

    def in_the_last_layer(program: Path) -> tuple[str, ...]:
        for _ in range(MOST_LAYERS):
            real(program)
        return real(program)

    machine.isolate = in_the_last_layer
    try:
        yield patient
    finally:
        machine.isolate = real


@contextmanager
def an_older_kernel_in_a_container(patient: Patient, runtime: Runtime) -> Iterator[Patient]:
    """Landlock takes away files and no TCP yet, and who is in a container gets no network of their own."""
    real = machine.isolate
    machine.isolate = lambda program: ("files",)
    try:
        yield patient
    finally:
        machine.isolate = real


MOST_LAYERS = 16
IN_THAI_OF_WINDOWS = '{"currency": "บาท"}'.encode("cp874")
CLUSTER = "installation: test\nimage: nerve:1\ndatabase_cidr: 10.0.0.0/24\nkubeconfig: /nowhere/kubeconfig\n"
TABLE = "runtime.tenant_sources"
OWN_ROWS = f"CREATE POLICY own_rows ON {TABLE} TO tenant_runtime_tenants USING (tenant_id = (SELECT app.my_tenant()))"
_FEED = f"""INSERT INTO runtime.feeds (tenant_id, id, title, url, origin, cron, time_zone, source_id, due_at,
                                       created_by, alerted)
            VALUES ('{VICTIM}', 'feed-00000000000000aa', 'x', 'https://x.example/', 'press', '0 6 * * *', 'UTC',
                    'src-00000000000000aa', now(), 'test', 'dead')"""
_SOURCE = f"""INSERT INTO {TABLE} (tenant_id, id, origin, unit_mode, title, filename, url, unit_digest, rights,
                                   ingest_stage, ingest_status, authority_rank, received_by, queued_at)
              VALUES ('{VICTIM}', 'src-00000000000000bb', 'press', 'single-file', 'x', '', '', repeat('a', 64), '', '',
                      'received', 3, 'test', now() - interval '2 hours')"""
_STOPPED = f"""INSERT INTO {TABLE} (tenant_id, id, origin, unit_mode, title, unit_digest, ingest_stage, ingest_status,
                                    authority_rank, received_by, hindrance)
               VALUES ('{VICTIM}', 'src-00000000000000cc', 'press', 'single-file', 'x', repeat('a', 64), 'map',
                       'stopped', 3, 'test', '{{"code": "stage-fault"}}')"""
_REQUEST = f"""INSERT INTO runtime.approval_requests (tenant_id, id, gate, subject, subject_digest, content, needs,
                                                      requested_by, reason, due_at, expires_at)
               VALUES ('{VICTIM}', gen_random_uuid(), 'gate-review', 'release', repeat('a', 64), '{{}}',
                       '[["reviewer"]]', 'x', 'x', now() + interval '1 day', now() + interval '1 week')"""
_INSTANCE = f"""UPDATE runtime.tenants SET status = 'live' WHERE id = '{VICTIM}';
                INSERT INTO runtime.provisioning_operations (tenant_id, id, act, backend, namespace, plan_digest,
                                                             approvals, requested_by)
                VALUES ('{VICTIM}', gen_random_uuid(), 'provision', 'local-process', 'x', '', '[]', 'x')"""
HEAD = head_version()

MISCONFIGURATIONS: list[tuple[str, str, Callable[[Patient, Runtime], Wrong]]] = [
    ("temporary files", "TMPDIR", partial(variable, "TMPDIR", "/nowhere/at/all")),
    ("file descriptors", "ulimit", few_descriptors),
    ("ports", "TENANT_RUNTIME_WORKSPACE_PORT", somebody_elses_port),
    ("home", "TENANT_RUNTIME_HOME", partial(setting, "home", Path("/dev/null"))),
    ("environment", "DAGSTER_HOME", partial(variable, "DAGSTER_HOME", "/elsewhere")),
    ("Dagster storage", "psycopg2", partial(setting, "dagster_dsn", SecretStr("postgresql://d:secretword@h/x"))),
    ("public address", "https", partial(setting, "public_url", "http://city.example")),
    ("public address", "origins", partial(setting, "public_url", "https://city.example/")),
    ("public address", "scheme", partial(setting, "public_url", "city.example")),
    ("public address", "scheme", partial(setting, "public_url", "https://[city.example")),
    ("metrics token", "secrets", partial(setting, "metrics_token", SecretStr("secretword"))),
    ("traces", "4318", partial(variable, "OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")),
    ("traces", "setting", partial(variable, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://[collector:4318")),
    ("loopback links", "LOOPBACK_LINKS", partial(setting, "loopback_links", True)),
    ("price table", "currency", partial(a_file, "price_table", '{"currency": "THB"}')),
    ("price table", "PRICE_TABLE", partial(setting, "price_table", Path("/nowhere.json"))),
    ("price table", "UTF-8", partial(a_file, "price_table", IN_THAI_OF_WINDOWS)),
    ("contracts", "all of enterprise_intake.json", partial(setting, "contracts", Path("/nowhere"))),
    ("contracts", "eight", partial(setting, "contracts", Path("/tmp"))),
    ("PII configuration", "entries", partial(a_file, "pii_configuration", "models: [x]")),
    ("business calendar", "holidays", partial(at_another_time, timedelta(days=365 * 300))),
    ("OpenID provider", "openid-configuration", partial(setting, "oidc_issuer", "http://127.0.0.1:9")),
    ("OpenID provider", "openid-configuration", another_provider),
    ("OpenID provider", "https", partial(setting, "oidc_issuer", "http://id.example")),
    ("malware scanner", "clamd", partial(setting, "clamav", "tcp://127.0.0.1:9")),
    ("malware scanner", "tcp://", partial(setting, "clamav", "nonsense")),
    ("Kubernetes", "docs/operate/kubernetes.md", partial(a_file, "kubernetes_configuration", "image: x\nwhat: y")),
    ("Kubernetes", "kubeconfig", partial(a_file, "kubernetes_configuration", CLUSTER)),
    ("Kubernetes", "rights", no_rights_in_the_cluster),
    ("database", "TENANT_RUNTIME_DATABASE_DSN", no_server),
    ("database version", "newer release",
     partial(statement, "UPDATE tenant_runtime_version SET version_num = '9999'",
             f"UPDATE tenant_runtime_version SET version_num = '{HEAD}'")),
    ("database version", "migrate",
     partial(statement, "UPDATE tenant_runtime_version SET version_num = '0024'",
             f"UPDATE tenant_runtime_version SET version_num = '{HEAD}'")),
    ("encoding", "UTF8", another_encoding),
    ("database rights", "CREATEROLE", a_lesser_role),
    ("database connections", "CONNECTION LIMIT",
     partial(statement, "ALTER ROLE tenant_runtime_platform CONNECTION LIMIT 3",
             "ALTER ROLE tenant_runtime_platform CONNECTION LIMIT -1")),
    ("durability", "Switch it on",
     partial(statement, "ALTER DATABASE postgres SET synchronous_commit = off",
             "ALTER DATABASE postgres RESET synchronous_commit")),
    ("clock", "NTP", partial(at_another_time, timedelta(minutes=5))),
    ("key permissions", "chmod", open_to_others),
    ("keys", "Restore the keys", partial(moved_away, lambda of: of.keys_directory / "master.key")),
    ("keys", "Restore the keys", partial(moved_away, lambda of: of.keys_directory / "tenants" / VICTIM)),
    ("keys", "Restore", damaged_key),
    ("logins", "belongs to this database", other_keys),
    ("runtime roles", "NOSUPERUSER",
     partial(statement, "ALTER ROLE tenant_runtime_platform SUPERUSER",
             "ALTER ROLE tenant_runtime_platform NOSUPERUSER")),
    ("runtime roles", "NOBYPASSRLS",
     partial(statement, "ALTER ROLE tenant_runtime_marts BYPASSRLS", "ALTER ROLE tenant_runtime_marts NOBYPASSRLS")),
    ("runtime roles", "NOBYPASSRLS",
     partial(statement, "ALTER ROLE tenant_victim_tenant BYPASSRLS", "ALTER ROLE tenant_victim_tenant NOBYPASSRLS")),
    ("row-level security", "ENABLE ROW LEVEL SECURITY",
     partial(statement, f"ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY",
             f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")),
    ("row-level security", "FORCE",
     partial(statement, f"ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY",
             f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")),
    ("policies", "pentest", partial(statement, f"DROP POLICY own_rows ON {TABLE}", OWN_ROWS)),
    ("policies", "pentest",
     partial(statement, f"CREATE POLICY of_all ON {TABLE} TO tenant_runtime_tenants USING (true)",
             f"DROP POLICY of_all ON {TABLE}")),
    ("policies", "pentest",
     partial(statement,
             f"CREATE POLICY unchecked ON {TABLE} TO tenant_runtime_tenants"
             " USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (true)",
             f"DROP POLICY unchecked ON {TABLE}")),
    ("objects", "chown", partial(a_file_in_place, lambda of: of.objects_directory)),
    ("objects", "s3://", partial(setting, "object_store_url", "ftp://somewhere")),
    ("checkpoints", "write-once", partial(a_file_in_place, lambda of: of.checkpoints_file)),
    ("parser sandbox", "Landlock", sandboxed_already),
    ("parser sandbox", "outside of containers", an_older_kernel_in_a_container),
    ("line", "uploads",
     partial(statement, _SOURCE, f"DELETE FROM {TABLE} WHERE id = 'src-00000000000000bb'")),
    ("stopped sources", "hindrance",
     partial(statement, _STOPPED, f"DELETE FROM {TABLE} WHERE id = 'src-00000000000000cc'")),
    ("feeds", "feed show",
     partial(statement, _FEED, "DELETE FROM runtime.feeds WHERE id = 'feed-00000000000000aa'")),
    ("approvals", "role grant",
     partial(statement, _REQUEST, "DELETE FROM runtime.approval_requests")),
    ("instances", "clock",
     partial(statement, _INSTANCE, f"""DELETE FROM runtime.provisioning_operations WHERE tenant_id = '{VICTIM}';
                                       UPDATE runtime.tenants SET status = 'draft' WHERE id = '{VICTIM}'""")),
    ("daemon", "tenant-pipeline up", partial(setting, "token_key", 1)),
    ("audit log", "audit verify",
     partial(statement,
             "UPDATE runtime.audit_log SET actor = 'eve' WHERE sequence = 1",
             "UPDATE runtime.audit_log SET actor = 'test' WHERE sequence = 1")),
]  # fmt: skip
"""The examination, a word of its remedy, and what makes it wrong."""


def test_an_installation_that_is_well_has_nothing_wrong(patient: Patient) -> None:
    found = {name: examine(each, replace(patient, lives=False)) for name, each in EXAMINATIONS.items()}
    assert {name: each for name, each in found.items() if each.verdict is Verdict.WRONG} == {}


@pytest.mark.parametrize(
    ("name", "remedy", "make_wrong"),
    MISCONFIGURATIONS,
    ids=[f"{number} {name}" for number, (name, _, _) in enumerate(MISCONFIGURATIONS)],
)
def test_what_is_wrong_is_found_with_its_remedy_and_without_a_secret(
    patient: Patient, runtime: Runtime, name: str, remedy: str, make_wrong: Callable[[Patient, Runtime], Wrong]
) -> None:
    with make_wrong(patient, runtime) as ill:
        found = examine(EXAMINATIONS[name], ill)
    assert found.verdict is Verdict.WRONG
    assert remedy in found.remedy
    assert found.remedy
    assert "secretword" not in found.says + found.remedy
    if name not in ("daemon",):
        assert examine(EXAMINATIONS[name], patient).verdict is not Verdict.WRONG


def test_a_cost_by_a_price_table_of_another_encoding_is_refused_with_its_remedy(
    patient: Patient, runtime: Runtime
) -> None:
    with (
        a_file("price_table", IN_THAI_OF_WINDOWS, patient, runtime) as ill,
        pytest.raises(SettingsError, match="UTF-8"),
    ):
        prices(replace(runtime, settings=ill.settings))


def test_in_a_code_server_of_dagsters_chart_its_home_is_no_fault(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "/opt/dagster/dagster_home")
    monkeypatch.setenv("DAGSTER_CURRENT_IMAGE", "tenant-runtime:0.1.0")
    assert examine(EXAMINATIONS["environment"], patient).verdict is Verdict.FINE


def test_what_nobody_can_approve_is_found(patient: Patient, runtime: Runtime) -> None:
    tenant = staffed_tenant(runtime)
    asked = ask_for_overdue_release(runtime, tenant)
    assert approvals(patient).verdict is Verdict.FINE
    roles.revoke_role(runtime, tenant, person="rin", role="reviewer", revoked_by="test")
    assert f"{tenant} has nobody (else) for reviewer" in approvals(patient).says
    roles.grant_role(runtime, tenant, person="kanya", role="reviewer", granted_by="test")
    assert approvals(patient).verdict is Verdict.WRONG, "who asked cannot approve"
    roles.grant_role(runtime, tenant, person="rin", role="reviewer", granted_by="test")
    assert approvals(patient).verdict is Verdict.FINE

    rejected = say(runtime, asked[REVIEW], "rin", "reviewer", approves=False, reason="Not yet")
    assert approvals(patient).verdict is Verdict.FINE, "it does not wait any more"
    word = str(rejected.decisions[0]["id"])
    revoke(
        runtime, tenant, rejected.request.id, approval=word, person="rin", role="reviewer", reason="It was the other"
    )
    assert approvals(patient).verdict is Verdict.WRONG, "one person, one word"
    delegate(
        runtime, tenant, rejected.request.id, role="reviewer", to="di", person="rin", reason="I have spoken before"
    )
    assert approvals(patient).verdict is Verdict.FINE
    say(runtime, asked[REVIEW], "di", "reviewer")
    roles.revoke_role(runtime, tenant, person="rin", role="reviewer", revoked_by="test")
    assert approvals(patient).verdict is Verdict.FINE, "it is approved"

    roles.revoke_role(runtime, tenant, person="ann", role="tenant-admin", revoked_by="test")
    roles.revoke_role(runtime, tenant, person="cy", role="platform-governance", revoked_by="test")
    roles.grant_role(runtime, tenant, person="bo", role="tenant-admin", granted_by="test")
    found = approvals(patient)
    assert found.verdict is Verdict.WRONG, "one person does not meet two needs"
    assert "role grant" in found.remedy
    for each in asked.values():
        if str(each.request.gate) != REVIEW:
            withdraw(runtime, tenant, each.request.id, person="kanya", reason="No more")
    assert approvals(patient).verdict is Verdict.FINE


@pytest.mark.parametrize(
    ("name", "threshold"),
    [
        ("disk", "LEAST_FREE_BYTES"),
        ("inodes", "LEAST_FREE_FILES"),
        ("temporary files", "LEAST_TEMPORARY_BYTES"),
    ],
)
def test_too_little_is_found(patient: Patient, monkeypatch: pytest.MonkeyPatch, name: str, threshold: str) -> None:
    monkeypatch.setattr(machine, threshold, 2**62)
    assert examine(EXAMINATIONS[name], patient).verdict is Verdict.WRONG


def test_a_pod_without_an_account_in_the_cluster_is_not_wrong_and_says_where_to_ask(
    patient: Patient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    content = CLUSTER.partition("kubeconfig")[0]
    with a_file("kubernetes_configuration", content, patient, runtime) as inside:
        found = examine(EXAMINATIONS["Kubernetes"], inside)
    assert found.verdict is Verdict.NOT_EXAMINED
    assert "code server" in found.says


def test_a_server_that_speaks_another_language_is_found(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    english = ("C", "POSIX", "C.UTF-8", "en_GB.UTF-8", "English_United States.1252", "")
    assert [each for each in (*english, "th_TH.UTF-8", "de_DE@euro", "ca_ES") if not is_english(each)] == [
        "th_TH.UTF-8", "de_DE@euro", "ca_ES",
    ]  # fmt: skip
    assert examine(EXAMINATIONS["server messages"], patient).verdict is Verdict.FINE
    monkeypatch.setattr(database, "is_english", lambda locale: False)
    assert "lc_messages" in examine(EXAMINATIONS["server messages"], patient).remedy


def test_an_old_interpreter_is_found(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (4, 0))
    assert examine(EXAMINATIONS["python"], patient).verdict is Verdict.WRONG


def test_checkpoints_on_the_disk_of_the_database_are_no_fault_but_worth_changing(patient: Patient) -> None:
    path = patient.settings.checkpoints_file
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    assert examine(EXAMINATIONS["checkpoints apart"], patient).verdict is Verdict.ADVICE
    path.unlink()


def test_the_command_examines_what_it_can_while_the_database_is_down(tmp_path: Path) -> None:
    further = {"TENANT_RUNTIME_DATABASE_DSN": "postgresql://owner:secretword@127.0.0.1:9/x"}
    printed = Installation(tmp_path / "home", further).command("doctor", "--json", expect=1)
    rows = {row["examination"]: row for row in json.loads(printed[: printed.rindex("]") + 1])}
    assert rows.keys() == EXAMINATIONS.keys()
    assert rows["database"]["verdict"] == "wrong"
    assert rows["policies"]["verdict"] == "not examined"
    assert rows["contracts"]["verdict"] == "advice"
    assert "enterprise_intake: The brief fixes" in rows["contracts"]["says"], "what awaits a person's review, and why"
    assert "secretword" not in printed
    assert "home" not in os.listdir(tmp_path), "nothing was made"

"""A backup brings back everything: rows, objects, keys, logins, the audit log; and nothing that was erased since."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr
from typer.testing import CliRunner

from tenant_pipeline.cli import main
from tenant_pipeline.core.digest import sha256_of_bytes
from tenant_pipeline.core.errors import (
    DatabaseUnavailableError,
    InputError,
    IntegrityError,
    NotFoundError,
    SettingsError,
)
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.tenancy import TenantId, partition_key
from tenant_pipeline.intake.link.credential import Credential
from tenant_pipeline.services import digest_keys, registry
from tenant_pipeline.services.audit_trail import seal_audit, verify_audit
from tenant_pipeline.services.backup import restoring, taking
from tenant_pipeline.services.backup.layout import (
    CHECKPOINTS,
    CREDENTIALS,
    KEYS,
    MANIFEST,
    OBJECTS,
    BackupFolder,
    contents,
)
from tenant_pipeline.services.backup.pruning import prune_backups
from tenant_pipeline.services.backup.restoring import restore
from tenant_pipeline.services.backup.signing import SIGNATURE, SIGNED, signed, signer, verified_signer
from tenant_pipeline.services.backup.taking import take_backup
from tenant_pipeline.services.backup.verifying import verify_backup
from tenant_pipeline.services.erasure.requests import list_requests, request_erasure
from tenant_pipeline.services.erasure.whole_tenant import ERASED_SINCE, STEPS, TOMBSTONE, erase_tenant
from tenant_pipeline.services.feeds.credentials import credential_of, keep_credential
from tenant_pipeline.services.feeds.feeds import NewFeed, add_feed, list_feeds, set_status
from tenant_pipeline.services.marts.measuring import measure_tenants
from tenant_pipeline.services.provisioning.operations import DONE, Act, State, begin, latest_operation, record
from tenant_pipeline.services.provisioning.settling import settle
from tenant_pipeline.services.provisioning.standing import bring_back
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime, connect, open_runtime
from tenant_pipeline.services.sources import list_sources
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.dagster_database import dagster_conninfo
from tenant_pipeline.storage.database import PLATFORM, login_of
from tenant_pipeline.storage.embedded_postgres import EmbeddedPostgres, running_dsn
from tenant_pipeline.storage.keys import KeysDestroyedError
from tenant_pipeline.storage.sealed_file import Opener, Sealer, new_recovery_key
from tenant_pipeline.storage.table_copy import Table, copy_out, runtime_tables, serving_tables
from tests.bucket_server import bucket_server, its_environment
from tests.integration.conftest import ATTACKER, VICTIM, TwoTenants
from tests.integration.provisioned import small_instances
from tests.integration.releasable import publish_draft, releasable, served
from tests.registered import registered

PASSPHRASE = "a long passphrase"
CONTENT = b"somchai 081-234-5678\n" * 10_000


@dataclass(frozen=True)
class Backed:
    """An installation with three tenants that have something, and its backups."""

    runtime: Runtime
    folder: Path
    key: Path
    recipient: str
    kept: TenantId
    erased: TenantId
    everything: str
    one: str

    @property
    def signer(self) -> str:
        return signer(self.runtime.keys.backup_signing_key().public_key())

    def opener(self) -> Opener:
        return Opener(self.key, PASSPHRASE)


@pytest.fixture(scope="module")
def backed(tenants: TwoTenants, tmp_path_factory: pytest.TempPathFactory) -> Backed:
    runtime, place = tenants.runtime, tmp_path_factory.mktemp("backup")
    kept, erased = releasable(runtime), releasable(runtime)
    for made in (kept, erased):
        publish_draft(runtime, made.tenant)
        runtime.raw_zone(made.tenant).put(io.BytesIO(CONTENT))
        runtime.keys.make_digest_key(made.tenant, 2)
        seal_audit(runtime, made.tenant)
    keep_credential(
        runtime, kept.tenant, "partner", Credential("https://p.example", "Authorization", "s3cret"), actor="test"
    )
    daily = NewFeed("Partner", "https://p.example/feed.csv", Origin.PARTNER_DOC, Schedule("0 6 * * *", "Asia/Bangkok"))
    add_feed(runtime, kept.tenant, daily, actor="test")
    recipient = new_recovery_key(place / "recovery.pem", PASSPHRASE)
    folder = place / "backups"
    everything = take_backup(runtime, folder, recipient)
    one = take_backup(runtime, folder, recipient, kept.tenant)
    assert everything["objects"] == everything["copied"] > 1
    assert one["copied"] == 0
    return Backed(
        runtime, folder, place / "recovery.pem", recipient, kept.tenant, erased.tenant,
        everything["snapshot"], one["snapshot"],
    )  # fmt: skip


@pytest.fixture
def empty() -> Iterator[Settings]:
    """An empty home, and an empty database that outlives whoever works on it."""
    with tempfile.TemporaryDirectory(prefix="tenant-runtime-test-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedPostgres(Path(folder) / "postgres"):
            dsn = running_dsn(Path(folder) / "postgres")
            assert dsn is not None
            yield Settings(home=Path(folder) / "home", database_dsn=SecretStr(dsn))


def _contents(runtime: Runtime, tenant: TenantId) -> dict[str, bytes]:
    """Every table's rows of the tenant, and what its instance reads.

    But for its audit log, which goes on, and the number of its instance's password, which goes on, too.
    """
    with runtime.database.administration() as connection:
        tables = [(table, tenant) for table in runtime_tables(connection) if table.tenant_column]
        tables += [(table, None) for table in serving_tables(connection, tenant)]
        return {
            table.path: b"".join(copy_out(connection, table, whose))
            for table, whose in tables
            if table.name not in ("audit_log", "instance_logins")
        }


def _names(runtime: Runtime, tenant: TenantId) -> list[str]:
    return [name for name, _ in contents(runtime, tenant)]


def _work_goes_on(monkeypatch: pytest.MonkeyPatch, runtime: Runtime, tenant: TenantId) -> None:
    """Have something done in the tenant, and sealed, while the next backup copies objects."""

    def while_work_goes_on(*arguments: Any, copied: Any = taking._objects) -> Any:
        registry.update_tenant(runtime, tenant, domain="busy.example", person="anan")
        seal_audit(runtime, tenant)
        return copied(*arguments)

    monkeypatch.setattr(taking, "_objects", while_work_goes_on)


def _sealed(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    return {name: checkpoint[name] for name in ("tenant", "size", "root", "at")}


def _restore(backed: Backed, settings: Settings, snapshot: str) -> dict[str, Any]:
    return restore(
        settings, backed.folder, backed.opener(), snapshot, actor="operator", signed_by=backed.signer, feeds_go_on=True
    )


KILLED = """
import os, signal, sys
from pathlib import Path
from tenant_pipeline.services.backup import restoring
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.sealed_file import Opener

written = 0
def dies(*arguments, copy_in=restoring.copy_in):
    global written
    written += 1
    if written == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    copy_in(*arguments)

restoring.copy_in = dies
home, folder, key, passphrase, snapshot = sys.argv[1:]
opener = Opener(Path(key), passphrase)
asked = {"actor": "operator", "signed_by": None, "feeds_go_on": True}
restoring.restore(Settings(home=Path(home)), Path(folder), opener, snapshot, **asked)
"""


@pytest.mark.slow
def test_everything_comes_back_though_it_was_killed_and_what_was_erased_stays_erased(
    backed: Backed, empty: Settings
) -> None:
    was = {tenant: _contents(backed.runtime, tenant) for tenant in (backed.kept, VICTIM, ATTACKER)}
    audits = {tenant: verify_audit(backed.runtime, tenant) for tenant in was}
    release = served(backed.runtime, backed.kept)
    request = request_erasure(
        backed.runtime, backed.erased, person="anan", role="tenant-admin", reason="The tenant leaves"
    )
    erase_tenant(backed.runtime, backed.erased, request, person="gov", role="platform-governance")
    take_backup(backed.runtime, backed.folder, backed.recipient)
    assert not (backed.folder / "objects" / backed.erased).exists()

    assert empty.database_dsn is not None
    environment = {**os.environ, "TENANT_RUNTIME_DATABASE_DSN": empty.database_dsn.get_secret_value()}
    arguments = [str(empty.home), str(backed.folder), str(backed.key), PASSPHRASE, backed.everything]
    died = subprocess.run([sys.executable, "-c", KILLED, *arguments], env=environment, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()[-1500:]
    for opened in (open_runtime, connect):  # or else the words of whom was erased since could be read
        with pytest.raises(SettingsError, match=f"{backed.everything} has not ended"), opened(empty):
            pass
    done = _restore(backed, empty, backed.everything)
    assert done["erased_again"] == [backed.erased]
    assert (done["signed_by"], done["verified"]) == (backed.signer, True)

    with open_runtime(empty) as runtime:
        assert {tenant: _contents(runtime, tenant) for tenant in was} == was
        assert {row["tenant"]: [row] for row in done["audit"] if row["tenant"] in was} == audits
        assert verify_audit(runtime, backed.kept)[0]["intact"]
        assert served(runtime, backed.kept) == release
        for name in _names(backed.runtime, backed.kept):
            assert name in set(_names(runtime, backed.kept))
        digest = next(iter(_names(runtime, backed.kept))).rpartition("/")[2]
        with runtime.stage_store(backed.kept).fetch(digest) as stream:  # type: ignore[arg-type]
            assert stream.read()
        assert runtime.keys.digest_keys(backed.kept) == backed.runtime.keys.digest_keys(backed.kept)
        assert credential_of(runtime, backed.kept, "partner").value == "s3cret"

        # The login works, and sees its own rows alone.
        role = login_of(backed.kept)
        dsn = make_conninfo(runtime.database.conninfo(), user=role, password=runtime.database.password_of(role))
        with psycopg.connect(dsn) as connection:
            seen = connection.execute("SELECT DISTINCT tenant_id FROM runtime.statements").fetchall()
            assert seen == [(backed.kept,)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT * FROM runtime.tenant_logins")

        # Erased stays erased.
        with pytest.raises(KeysDestroyedError):
            runtime.raw_zone(backed.erased)
        assert not list(runtime.objects.listed(backed.erased))
        with runtime.database.tenant(backed.erased) as connection:
            rows = connection.execute("SELECT DISTINCT value FROM runtime.statements").fetchall()
        assert [row["value"] for row in rows] == [TOMBSTONE]
        # And is on record as such, so that nothing counts it again.
        (asked,) = list_requests(runtime, backed.erased)
        assert (asked.state(), asked.reason, set(asked.steps)) == ("erased", ERASED_SINCE, set(STEPS))
        assert backed.erased not in measure_tenants(runtime)

        # And it goes on working.
        registry.update_tenant(runtime, backed.kept, domain="new.example", person="anan")
        runtime.raw_zone(backed.kept).put(io.BytesIO(b"something new"))
    with pytest.raises(InputError, match="already"):
        _restore(backed, empty, backed.everything)


@pytest.mark.slow
def test_one_tenant_comes_into_an_installation_that_has_it_not(backed: Backed, empty: Settings) -> None:
    neighbour = TenantId("neighbour")
    with open_runtime(empty) as runtime:
        with pytest.raises(InputError, match="nothing to back up"):  # most likely the wrong home is named
            take_backup(runtime, backed.folder, backed.recipient)
        registered(runtime, neighbour)
        before = _contents(runtime, neighbour)
    was = _contents(backed.runtime, backed.kept)
    assert empty.database_dsn is not None
    told = subprocess.run(
        [
            sys.executable, "-m", "tenant_pipeline", "restore", str(backed.folder), "--key", str(backed.key),
            "--snapshot", backed.one, "--actor", "operator", "--signed-by", backed.signer,
        ],
        env={
            **os.environ, "TENANT_RUNTIME_DATABASE_DSN": empty.database_dsn.get_secret_value(),
            "TENANT_RUNTIME_HOME": str(empty.home), "TENANT_RUNTIME_BACKUP_PASSPHRASE": PASSPHRASE,
        },
        capture_output=True,
        check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr.decode()[-2000:]
    assert all(row["intact"] for row in json.loads(told.stdout)["audit"])
    with open_runtime(empty) as runtime:
        with psycopg.connect(dagster_conninfo(None, runtime.database)) as dagster:
            known = dagster.execute("SELECT partition FROM dynamic_partitions WHERE partition LIKE %s", ("%|src-%",))
            assert {partition for (partition,) in known} == {
                partition_key(backed.kept, each.id) for each in list_sources(runtime, backed.kept)
            }
        # A copy that is only tried out asks nobody's server.
        (feed,) = list_feeds(runtime, backed.kept)
        assert feed.status == "paused"
        set_status(runtime, backed.kept, feed.id, "active", actor="test")
        now = _contents(runtime, backed.kept)
        assert {path for path in was if now[path] != was[path]} == {"runtime.feeds"}
        assert _contents(runtime, neighbour) == before
        assert runtime.keys.master_key() != backed.runtime.keys.master_key()
        assert runtime.keys.digest_keys(backed.kept) == backed.runtime.keys.digest_keys(backed.kept)
        assert set(_names(runtime, backed.kept)) == set(_names(backed.runtime, backed.kept))
        with runtime.database.tenant(neighbour) as connection:
            assert connection.execute("SELECT FROM runtime.statements").fetchall() == []
        with pytest.raises(InputError, match="already"):
            restore(runtime.settings, backed.folder, backed.opener(), backed.one, actor="operator", signed_by=None)
        runtime.keys.destroy(neighbour)


@pytest.mark.slow
def test_a_snapshot_of_an_older_version_is_brought_up_to_date_and_brings_no_instance_back_nor_its_password(
    empty: Settings, tmp_path: Path
) -> None:
    tenant, erased = TenantId("old-tenant"), TenantId("old-and-erased")
    recipient, opener = new_recovery_key(tmp_path / "key", PASSPHRASE), Opener(tmp_path / "key", PASSPHRASE)
    assert empty.database_dsn is not None
    dsn = empty.database_dsn.get_secret_value()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE old")
    old = Settings(home=tmp_path / "old", database_dsn=SecretStr(make_conninfo(dsn, dbname="old")))
    with open_runtime(old, "0035") as runtime:
        for each in (tenant, erased):
            registered(runtime, each)
            with runtime.database.platform() as platform:
                platform.execute("UPDATE runtime.tenants SET status = 'live' WHERE id = %s", (each,))
                brought_up = begin(
                    platform, each, Act.PROVISION, "local-process", f"tenant-{each}", "0" * 64, [], "run"
                )
            record(runtime, brought_up, DONE, State.DONE, {}, "run")
        with runtime.database.tenant(tenant) as connection:
            connection.execute(
                """
                INSERT INTO runtime.feeds
                       (tenant_id, id, title, url, origin, cron, time_zone, source_id, due_at, created_by)
                VALUES (%s, 'feed-' || repeat('0', 16), 'P', 'https://p.example/feed.csv', 'partner-doc', '0 6 * * *',
                        'Asia/Bangkok', 'src-' || repeat('0', 16), now(), 'test')
                """,
                (tenant,),
            )
        snapshot = take_backup(runtime, tmp_path / "backups", recipient)["snapshot"]
        given = set()
        for act in (runtime.database.create_instance_login, *[runtime.database.rotate_instance_login] * 2):
            act(tenant)
            given.add(conninfo_to_dict(runtime.database.instance_conninfo(tenant))["password"])
        assert len(given) == 3
        runtime.database.drop_instance_login(tenant)
    (tmp_path / "backups" / "erased" / erased).touch()
    restore(empty, tmp_path / "backups", opener, snapshot, actor="operator", signed_by=None)
    with open_runtime(empty) as runtime:
        assert [feed.status for feed in list_feeds(runtime, tenant)] == ["paused"]
        backend = small_instances(runtime)
        assert list(bring_back(runtime, backend, timeout=1)) == []
        assert settle(runtime, backend, seconds=20, actor="clock") == []
        for act in (runtime.database.create_instance_login, *[runtime.database.rotate_instance_login] * 2):
            act(tenant)
            assert conninfo_to_dict(runtime.database.instance_conninfo(tenant))["password"] not in given
        runtime.database.drop_instance_login(tenant)


@pytest.mark.slow
def test_what_was_taken_from_a_folder_comes_back_into_a_bucket_and_out_of_it_again(
    backed: Backed, empty: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bucket_server(tmp_path / "s3") as server, its_environment(server):
        settings = empty.model_copy(update={"object_store_url": server.url})
        assert settings.database_dsn is not None
        environment = {
            **os.environ, **server.environment, "TENANT_RUNTIME_OBJECT_STORE_URL": server.url,
            "TENANT_RUNTIME_DATABASE_DSN": settings.database_dsn.get_secret_value(),
        }  # fmt: skip
        arguments = [str(settings.home), str(backed.folder), str(backed.key), PASSPHRASE, backed.everything]
        died = subprocess.run([sys.executable, "-c", KILLED, *arguments], env=environment, check=False)
        assert died.returncode == -signal.SIGKILL
        server.fault = lambda method, path, number: 503 if method == "PUT" and number % 5 == 0 else None
        done = _restore(backed, settings, backed.everything)
        server.fault = None
        sealed = [
            _sealed(each) for each in backed.runtime.audit.checkpoints(backed.kept) if each["tenant"] == backed.kept
        ]
        assert sealed
        assert [row["intact"] for row in done["audit"] if row["tenant"] in (backed.kept, backed.erased)] == [True, True]
        assert not any(b"somchai" in path.read_bytes() or b"PAR1" in path.read_bytes()[:4] for path in server.files())
        with open_runtime(settings) as runtime:
            assert _contents(runtime, backed.kept) == _contents(backed.runtime, backed.kept)
            assert served(runtime, backed.kept) == served(backed.runtime, backed.kept)
            assert set(_names(runtime, backed.kept)) == set(_names(backed.runtime, backed.kept))
            assert not (settings.objects_directory / backed.kept).exists()
            for zone in (runtime.raw_zone(backed.kept), runtime.stage_store(backed.kept).plain):
                for digest, _, _ in zone.stored():
                    with zone.open(digest) as stream:
                        assert hashlib.sha256(stream.read()).hexdigest() == digest
            assert verify_audit(runtime, backed.kept)[0]["intact"]
            assert [_sealed(each) for each in runtime.audit.checkpoints(backed.kept)[: len(sealed)]] == sealed
            recipient = new_recovery_key(tmp_path / "recovery.pem", PASSPHRASE)
            _work_goes_on(monkeypatch, runtime, backed.kept)
            again = take_backup(runtime, tmp_path / "again", recipient)["snapshot"]
        with tempfile.TemporaryDirectory(prefix="tenant-runtime-test-") as folder:
            Path(folder).chmod(0o755)
            with EmbeddedPostgres(Path(folder) / "postgres"):
                dsn = running_dsn(Path(folder) / "postgres")
                assert dsn is not None
                back = Settings(home=Path(folder) / "home", database_dsn=SecretStr(dsn))
                opener = Opener(tmp_path / "recovery.pem", PASSPHRASE)
                restore(back, tmp_path / "again", opener, again, actor="operator", signed_by=None, feeds_go_on=True)
                with open_runtime(back) as runtime:
                    assert verify_audit(runtime, backed.kept)[0]["checkpoints"] >= len(sealed)
                    assert verify_audit(runtime, backed.kept)[0]["intact"]
                    assert _contents(runtime, backed.kept) == _contents(backed.runtime, backed.kept)
                    assert set(_names(runtime, backed.kept)) == set(_names(backed.runtime, backed.kept))


def test_a_snapshot_has_every_entry_that_its_checkpoints_seal_though_work_goes_on(
    backed: Backed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = backed.runtime
    tenant = registered(runtime, "busy-tenant")
    seal_audit(runtime, tenant)

    _work_goes_on(monkeypatch, runtime, tenant)
    taken = take_backup(runtime, tmp_path / "backups", backed.recipient, tenant)
    (entries,) = (table["rows"] for table in taken["tables"] if table["path"] == "runtime.audit_log")
    sealed = BackupFolder(tmp_path / "backups").part(backed.opener(), taken["snapshot"], CHECKPOINTS)
    assert max(line["size"] for line in sealed) == entries
    assert max(line["size"] for line in runtime.audit.checkpoints(tenant) if line["tenant"] == tenant) > entries


def test_nothing_readable_and_no_key_lies_in_a_backup(backed: Backed) -> None:
    files = [path for path in backed.folder.rglob("*") if path.is_file() and path.stat().st_size]
    assert len(files) > 50
    keys = [backed.runtime.keys.master_key(), *backed.runtime.keys.keys_of(backed.kept).values()]
    for path in files:
        content = path.read_bytes()
        assert not any(each in content for each in (b"somchai", b"Phuket", b"s3cret", *keys))
        assert not any(key.hex().encode() in content for key in keys)


def test_a_damaged_or_missing_part_is_noticed_before_anything_is_written(backed: Backed, tmp_path: Path) -> None:
    copied = tmp_path / "copy"
    shutil.copytree(backed.folder, copied)
    part = copied / "snapshots" / backed.everything / "keys"
    damaged = bytearray(part.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    for spoil in (lambda: part.write_bytes(damaged), part.unlink):
        spoil()
        with pytest.raises(IntegrityError):
            restore(
                Settings(home=tmp_path / "home"),
                copied,
                backed.opener(),
                backed.everything,
                actor="operator",
                signed_by=None,
            )
    assert not (tmp_path / "home").exists()


def test_what_somebody_else_put_into_the_folder_is_not_brought_back(backed: Backed, tmp_path: Path) -> None:
    """They can seal to the recipient as well as we: it is a public key."""
    copied, settings = tmp_path / "copy", Settings(home=tmp_path / "home")
    shutil.copytree(backed.folder, copied)
    folder, opener = BackupFolder(copied), backed.opener()
    ours = backed.signer
    assert verified_signer(folder, opener, backed.everything) == ours
    assert not any(verify_backup(copied, opener, ours))

    def found(signed_by: str | None) -> list[tuple[str, str]]:
        return [(each.file, each.what) for each in verify_backup(copied, opener, signed_by) if each]

    def put(name: str, content: bytes) -> None:
        place = folder.snapshot(backed.everything) / name
        with Sealer(backed.recipient).file(place, f"{backed.everything}/{name}", copied) as file:
            file.write(content)

    parts = {}
    for name in SIGNED:
        with opener.open(folder.snapshot(backed.everything) / name, f"{backed.everything}/{name}") as stream:
            parts[name] = hashlib.sha256(stream.read()).hexdigest()
    forged = json.dumps({**folder.part(opener, backed.everything, KEYS), "master": "00" * 32}).encode()
    put(KEYS, forged)
    signature = f"{backed.everything}/{SIGNATURE}"
    with pytest.raises(IntegrityError, match="signed"):
        restore(settings, copied, opener, backed.everything, actor="operator", signed_by=None)
    assert found(None) == [(signature, "The snapshot is not what its installation signed")]

    of_their_own = signed(Ed25519PrivateKey.generate(), backed.everything, parts | {KEYS: sha256_of_bytes(forged)})
    put(SIGNATURE, json.dumps(of_their_own).encode())
    with pytest.raises(IntegrityError, match="not taken by that installation"):
        restore(settings, copied, opener, backed.everything, actor="operator", signed_by=ours)

    assert (found(None), found(ours)) == ([], [(signature, "The snapshot was not taken by that installation")])
    (folder.snapshot(backed.everything) / SIGNATURE).unlink()
    with pytest.raises(IntegrityError, match="not taken by that installation"):
        restore(settings, copied, opener, backed.everything, actor="operator", signed_by=ours)
    assert not settings.home.exists()


@dataclass(frozen=True)
class Forgery:
    """An unsigned snapshot of one tenant, which somebody who knows the recipient puts into a folder."""

    backed: Backed
    root: Path
    tenant: TenantId
    identifier: str = "20260101T000000Z-f0f0f0f0"

    def restore(
        self,
        *,
        manifest: Mapping[str, Any] | None = None,
        keys: Mapping[str, Any] | None = None,
        credentials: Mapping[str, str] | None = None,
        objects: str = "",
        tables: Mapping[Table, str] | None = None,
    ) -> None:
        """Bring it back into the installation that is at work."""
        opener = self.backed.opener()
        said: dict[str, Any] = {
            **BackupFolder(self.backed.folder).manifest(opener, self.backed.one),
            "snapshot": self.identifier, "tenant": self.tenant, "tenants": [self.tenant], "served": {self.tenant: []},
            "tables": [
                {"path": table.path, "columns": table.columns, "rows": 1, "sha256": self._digest_of_its_own(rows)}
                for table, rows in (tables or {}).items()
            ],
        }  # fmt: skip
        for name, value in (
            (MANIFEST, {**said, **(manifest or {})}),
            (KEYS, {"master": None, "tenants": {self.tenant: {}}, "destroyed": [], **(keys or {})}),
            (CREDENTIALS, credentials or {}),
            (CHECKPOINTS, []),
        ):
            self._put(name, json.dumps(value))
        self._put(OBJECTS, objects)
        for table, rows in (tables or {}).items():
            self._put(table.path, rows)
        restore(self.backed.runtime.settings, self.root, opener, self.identifier, actor="operator", signed_by=None)

    def _digest_of_its_own(self, rows: str) -> str:
        return sha256_of_bytes(b"".join(row.encode() for row in rows.splitlines(True) if self.tenant in row))

    def _put(self, name: str, content: str) -> None:
        place = BackupFolder(self.root).snapshot(self.identifier) / name
        with Sealer(self.backed.recipient).file(place, f"{self.identifier}/{name}", self.root) as file:
            file.write(content.encode())


def test_a_snapshot_of_one_tenant_brings_nothing_of_another_and_nothing_of_the_platforms(
    backed: Backed, tmp_path: Path
) -> None:
    runtime, forgery = backed.runtime, Forgery(backed, tmp_path / "forged", TenantId("new-comer"))
    with runtime.database.administration() as connection:
        tables = {table.name: table for table in runtime_tables(connection)}
        roles, logins, appointments, operations = (
            tables[name]
            for name in ("tenant_user_roles", "tenant_logins", "platform_appointments", "provisioning_operations")
        )
        held, begun = (
            b"".join(copy_out(connection, table, VICTIM)).decode().splitlines()[0] for table in (roles, operations)
        )
        before = b"".join(copy_out(connection, appointments, None))
    was = _contents(runtime, VICTIM)
    taken = dict(zip(roles.columns, held.split("\t"), strict=True)) | {"person": "intruder", "role": "founder"}
    appointed = {
        "number": str(2**40), "person": "intruder", "role": "founder", "step": "appointed", "decided_by": "intruder",
        "reason": "-", "at": "2026-01-01 00:00:00+00",
    }  # fmt: skip
    numbered = dict(zip(operations.columns, begun.split("\t"), strict=True)) | {"tenant_id": forgery.tenant}
    digest = "ab" * 32
    for forged in (
        {"manifest": {"tenants": [forgery.tenant, VICTIM]}, "keys": {"destroyed": [VICTIM]}},
        {"credentials": {f"{VICTIM}/partner": "00"}},
        {"objects": f"{VICTIM}/raw/{digest[:2]}/{digest}\n"},
        {"tables": {roles: "\t".join(taken[name] for name in roles.columns) + "\n"}},
        {"tables": {logins: f"{PLATFORM}\t{forgery.tenant}\n"}},
        {"tables": {appointments: "\t".join(appointed[name] for name in appointments.columns) + "\n"}},
    ):
        with pytest.raises(IntegrityError, match="of the tenant that"):
            forgery.restore(**forged)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError, match="a name that none is given"):
        forgery.restore(keys={"tenants": {forgery.tenant: {f"../{VICTIM}.destroyed": "00" * 32}}})
    for number in (0, 2**63 - 1):
        row = "\t".join((numbered | {"number": str(number)})[name] for name in operations.columns)
        with pytest.raises(IntegrityError, match="a number that none is given"):
            forgery.restore(tables={operations: row + "\n"})
    assert VICTIM not in runtime.keys.destroyed()
    assert _contents(runtime, VICTIM) == was
    with runtime.database.administration() as connection:
        assert b"".join(copy_out(connection, appointments, None)) == before
    with runtime.database.platform() as platform, platform.transaction(force_rollback=True):
        assert begin(platform, VICTIM, Act.PROVISION, "local-process", "namespace", "0" * 64, [], "run")


def test_a_restore_that_was_refused_or_given_up_leaves_no_key_and_bars_no_other(
    backed: Backed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, forgery = backed.runtime, Forgery(backed, tmp_path / "forged", TenantId("key-bearer"))
    keys = {"tenants": {forgery.tenant: {"raw-zone": "ab" * 32}}}
    of_another = {"manifest": {"tables": []}, "objects": f"{VICTIM}/raw/ab/{'ab' * 32}\n"}
    credential = {f"{forgery.tenant}/partner": "00"}
    marker, places = runtime.settings.restoring_file, runtime.settings.credentials_directory

    def another_goes_ahead() -> None:
        with pytest.raises(InputError, match="tenant is here already"):
            _restore(backed, runtime.settings, backed.one)

    with pytest.raises(IntegrityError):
        forgery.restore(keys=keys, credentials=credential, **of_another)  # type: ignore[arg-type]
    assert (marker.exists(), runtime.keys.keys_of(forgery.tenant)) == (False, {})
    assert not (places / forgery.tenant).exists()
    another_goes_ahead()

    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(restoring, "_rows", dies)
        with pytest.raises(KeyboardInterrupt):
            forgery.restore(keys=keys, credentials=credential)
    assert (marker.exists(), list(runtime.keys.keys_of(forgery.tenant))) == (True, ["raw-zone"])
    with restoring._alone(runtime.settings), pytest.raises(InputError, match="at work"):
        _restore(backed, runtime.settings, backed.one)
    another_goes_ahead()
    assert (marker.exists(), runtime.keys.keys_of(forgery.tenant)) == (False, {})
    assert not (places / forgery.tenant).exists()

    key = runtime.keys.raw_zone_key(forgery.tenant)  # as where the database alone was lost
    with pytest.raises(IntegrityError):
        forgery.restore(**of_another)  # type: ignore[arg-type]
    assert (marker.exists(), runtime.keys.raw_zone_key(forgery.tenant)) == (False, key)

    marker.write_text(f"{forgery.identifier} {VICTIM}")
    with pytest.raises(InputError, match="half restored"):
        _restore(backed, runtime.settings, backed.one)
    registered(runtime, forgery.tenant)
    runtime.keys.destroy(forgery.tenant)
    marker.write_text(f"{forgery.identifier} {forgery.tenant}")  # it was erased before its restore had ended
    another_goes_ahead()
    assert not marker.exists()


def test_a_tenant_comes_back_only_where_its_template_is_published(backed: Backed, tmp_path: Path) -> None:
    runtime, forgery = backed.runtime, Forgery(backed, tmp_path / "forged", TenantId("of-template-nine"))
    with runtime.database.administration() as connection:
        (tenants,) = (table for table in runtime_tables(connection) if table.name == "tenants")
        victim = b"".join(copy_out(connection, tenants, VICTIM)).decode().strip("\n")
    victim = victim.replace(VICTIM, forgery.tenant).replace(login_of(VICTIM), login_of(forgery.tenant))
    row = dict(zip(tenants.columns, victim.split("\t"), strict=True)) | {"template_version": "9.0.0"}
    with pytest.raises(SettingsError, match=r"template 9\.0\.0 is not published here"):
        forgery.restore(tables={tenants: "\t".join(row.values()) + "\n"})
    with pytest.raises(NotFoundError):
        registry.show_tenant(runtime, forgery.tenant)
    with pytest.raises(InputError, match="tenant is here already"):
        _restore(backed, runtime.settings, backed.one)


def test_the_command_brings_nothing_back_until_it_is_said_who_took_it(
    backed: Backed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("TENANT_RUNTIME_HOME", str(home))
    monkeypatch.setenv("TENANT_RUNTIME_BACKUP_PASSPHRASE", PASSPHRASE)
    asked = ["restore", str(backed.folder), "--key", str(backed.key), "--snapshot", "none", "--actor", "operator"]
    for options, told in (
        ([], "not said who took"),
        (["--signed-by", ""], "names no installation"),
        (["--signed-by", backed.signer, "--unverified"], "Both"),
    ):
        refused = CliRunner().invoke(main.app, [*asked, *options])
        assert isinstance(refused.exception, InputError)
        assert told in refused.exception.what
    unverified = CliRunner().invoke(main.app, [*asked, "--unverified"])
    assert "NOT VERIFIED" in unverified.stderr
    assert isinstance(unverified.exception, NotFoundError), "it goes as far as to look for the snapshot"
    assert not home.exists()


def test_an_object_that_was_cut_is_copied_anew_and_until_then_named(backed: Backed, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(backed.folder, folder)
    assert not any(verify_backup(folder, backed.opener()))
    name = next(iter(_names(backed.runtime, backed.kept)))
    (folder / "objects" / name).write_bytes(b"")
    (folder / "snapshots" / backed.one / "keys").unlink()
    damages = {damage.file: damage.snapshots for damage in verify_backup(folder, backed.opener()) if damage}
    assert set(damages) == {name, f"{backed.one}/keys"}
    assert {backed.everything, backed.one} <= set(damages[name])
    taken = take_backup(backed.runtime, folder, backed.recipient, backed.kept)
    assert taken["copied"] == 1
    assert {damage.file for damage in verify_backup(folder, backed.opener()) if damage} == {f"{backed.one}/keys"}


def test_a_damaged_object_is_left_out_and_a_restore_whose_last_step_failed_goes_on_and_changes_nothing_in_use(
    backed: Backed, empty: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(backed.folder, folder)
    name = next(iter(_names(backed.runtime, backed.kept)))
    (folder / "objects" / name).write_bytes(b"something else")
    with pytest.raises(IntegrityError, match="leave-out-damaged") as damaged:
        restore(empty, folder, backed.opener(), backed.one, actor="operator", signed_by=None)
    assert damaged.value.where == name
    with open_runtime(empty) as runtime:  # others' work does not wait for one tenant
        assert runtime.keys.keys_of(backed.kept) == {}

    told: list[TenantId] = []

    def is_away(runtime: Runtime, tenants: list[TenantId]) -> None:
        raise DatabaseUnavailableError("The database does not answer")

    def hears(runtime: Runtime, tenants: list[TenantId]) -> None:
        told.extend(tenants)

    with pytest.raises(DatabaseUnavailableError):
        restore(
            empty, folder, backed.opener(), backed.one, actor="operator", signed_by=None, leave_out_damaged=True,
            tell=is_away,
        )  # fmt: skip
    with open_runtime(empty) as runtime:
        with runtime.database.platform() as platform:
            provision = begin(platform, backed.kept, Act.PROVISION, "local-process", "kept", "0" * 64, [], "run")
        record(runtime, provision, DONE, State.DONE, {}, "run")
        rotated = Credential("https://p.example", "Authorization", "rotated")
        keep_credential(runtime, backed.kept, "partner", rotated, actor="test")
        runtime.keys.destroy_digest_key(backed.kept, 1)
    done = restore(empty, folder, backed.opener(), backed.one, actor="operator", signed_by=None, tell=hears)
    assert (done["left_out"], told) == ([name], [backed.kept])
    with open_runtime(empty) as runtime:
        assert set(_names(runtime, backed.kept)) == set(_names(backed.runtime, backed.kept)) - {name}
        with runtime.database.platform() as platform:
            latest = latest_operation(platform, backed.kept)
        assert latest is not None
        assert (latest.act, latest.id) == (Act.PROVISION, provision.id)
        assert credential_of(runtime, backed.kept, "partner") == rotated
        assert list(runtime.keys.digest_keys(backed.kept)) == [2]


def test_a_digest_key_that_was_destroyed_since_the_backup_stays_destroyed_but_where_it_was_still_in_use(
    backed: Backed, empty: Settings, tmp_path: Path
) -> None:
    runtime, folder = backed.runtime, tmp_path / "backups"
    signing = {"person": "gov", "role": "platform-governance", "reason": "Asked for"}
    before_it, in_use = TenantId("forgets-old-key"), TenantId("forgets-key-in-use")
    snapshots = {}
    for tenant in (before_it, in_use):
        registered(runtime, tenant)
        grant_role(runtime, tenant, person="gov", role="platform-governance", granted_by="test")
        digest_keys.list_keys(runtime, tenant)
    digest_keys.rotate(runtime, before_it, **signing)
    for tenant in (before_it, in_use):
        snapshots[tenant] = take_backup(runtime, folder, backed.recipient, tenant)["snapshot"]
    digest_keys.rotate(runtime, in_use, **signing)
    for tenant in (before_it, in_use):
        digest_keys.destroy(runtime, tenant, 1, **signing)
    take_backup(runtime, folder, backed.recipient, before_it)

    def brought_back(tenant: TenantId) -> tuple[Any, Any]:
        done = restore(empty, folder, backed.opener(), snapshots[tenant], actor="operator", signed_by=None)
        return done["keys_destroyed_again"], done["destroyed_keys_in_use"]

    assert brought_back(before_it) == ({before_it: [1]}, [])
    assert brought_back(in_use) == ({}, [in_use])
    with open_runtime(empty) as restored:
        assert digest_keys.list_keys(restored, before_it) == digest_keys.list_keys(runtime, before_it)
        assert digest_keys.destroyed_keys(restored) == [
            each for each in digest_keys.destroyed_keys(runtime) if each[0] == before_it
        ]
        assert [key.version for key in digest_keys.list_keys(restored, in_use)] == [1]
        with restored.database.tenant(before_it) as connection:
            noted = connection.execute(
                "SELECT actor FROM runtime.audit_log WHERE tenant_id = %s AND action = 'privacy.destroy-key'",
                (before_it,),
            ).fetchall()
        assert [row["actor"] for row in noted] == ["restore"]


def test_old_snapshots_go_with_the_objects_that_none_has_any_more(backed: Backed, tmp_path: Path) -> None:
    folder, day = BackupFolder(tmp_path / "pruned"), timedelta(days=1)
    runtime = replace(backed.runtime, clock=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    old = take_backup(runtime, folder.root, backed.recipient, backed.kept)["snapshot"]
    gone = folder.object(f"{backed.kept}/raw/ab/ab{'0' * 62}")  # as of a source that retention has pruned since
    gone.parent.mkdir(parents=True, exist_ok=True)
    gone.write_bytes(b"sealed")
    os.utime(gone, (datetime(2026, 3, 1, tzinfo=UTC).timestamp(),) * 2)
    runtime = replace(backed.runtime, clock=lambda: datetime(2026, 3, 20, tzinfo=UTC))
    new = take_backup(runtime, folder.root, backed.recipient, backed.kept)["snapshot"]
    now = datetime(2026, 4, 10, tzinfo=UTC)
    assert prune_backups(folder.root, 60 * day, now) == {"snapshots": [], "kept": [old, new], "objects": 0, "bytes": 0}
    assert gone.exists()
    # Nothing but what is too old, and never the last one.
    assert prune_backups(folder.root, 30 * day, now)["snapshots"] == [old]
    done = prune_backups(folder.root, 1 * day, now)
    assert (done["snapshots"], done["kept"]) == ([], [new])
    assert not gone.exists()
    assert not any(verify_backup(folder.root, backed.opener()))


def test_what_a_snapshot_has_stays_though_the_clock_of_the_folders_server_is_behind(
    backed: Backed, tmp_path: Path
) -> None:
    folder, now = tmp_path / "behind", datetime.now(UTC) + timedelta(hours=1)
    taken = take_backup(replace(backed.runtime, clock=lambda: now), folder, backed.recipient, backed.kept)
    assert taken["copied"] > 0
    assert prune_backups(folder, timedelta(), now)["objects"] == 0
    assert not any(verify_backup(folder, backed.opener()))


def test_a_place_that_cannot_hold_backups_is_told(backed: Backed, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/dev/full/backups")):
        with pytest.raises(InputError, match="cannot be written"):
            take_backup(backed.runtime, place, backed.recipient)
    for look in (
        lambda: prune_backups(tmp_path / "none", timedelta(), datetime.now(UTC)),
        lambda: list(verify_backup(tmp_path / "none", backed.opener())),
        lambda: BackupFolder(tmp_path / "none").existing(),
    ):
        with pytest.raises(NotFoundError, match="no such backup folder"):
            look()
    assert not (tmp_path / "none").exists()


def test_a_wrong_passphrase_a_strange_recipient_and_no_such_snapshot_are_told(backed: Backed, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        Opener(backed.key, "another passphrase")
    with pytest.raises(InputError, match="already"):
        new_recovery_key(backed.key, PASSPHRASE)
    with pytest.raises(InputError, match="too short"):
        new_recovery_key(tmp_path / "key", "short")
    for recipient in ("", "trb1-", "trb1-00", "trb1-" + "00" * 32, "age1xyz"):
        with pytest.raises(InputError, match="recipient"):
            take_backup(backed.runtime, tmp_path / "no", recipient)
    with pytest.raises(NotFoundError):
        BackupFolder(backed.folder).manifest(backed.opener(), "../../etc")
    with pytest.raises(NotFoundError):
        take_backup(backed.runtime, tmp_path / "no", backed.recipient, TenantId("nobody"))
    new_recovery_key(tmp_path / "other.pem", PASSPHRASE)
    with pytest.raises(IntegrityError, match="another recovery key"):
        BackupFolder(backed.folder).manifest(Opener(tmp_path / "other.pem", PASSPHRASE), backed.everything)


def test_a_folder_holds_backups_for_one_recovery_key_whichever_it_was_first_given(
    backed: Backed, tmp_path: Path
) -> None:
    folder = BackupFolder(tmp_path / "copy")
    shutil.copytree(backed.folder, folder.root)
    before = folder.snapshots()
    another = new_recovery_key(tmp_path / "new", PASSPHRASE)
    with pytest.raises(InputError, match="another recipient"):
        take_backup(backed.runtime, folder.root, another, backed.kept)
    assert folder.snapshots() == before
    (folder.root / "recipient").unlink()  # as in a folder from before it was kept
    take_backup(backed.runtime, folder.root, backed.recipient, backed.kept)
    with pytest.raises(InputError, match="another recipient"):
        take_backup(backed.runtime, folder.root, another, backed.kept)
    assert not any(verify_backup(folder.root, backed.opener()))


def test_a_tenants_snapshot_holds_no_row_of_another_and_no_master_key(backed: Backed) -> None:
    folder, opener = BackupFolder(backed.folder), backed.opener()
    keys = folder.part(opener, backed.one, "keys")
    assert keys["master"] is None
    assert list(keys["tenants"]) == [backed.kept]
    for entry in folder.manifest(opener, backed.one)["tables"]:
        with opener.open(folder.snapshot(backed.one) / entry["path"], f"{backed.one}/{entry['path']}") as stream:
            rows = stream.read()
        assert VICTIM.encode() not in rows, entry["path"]
        assert backed.erased.encode() not in rows, entry["path"]

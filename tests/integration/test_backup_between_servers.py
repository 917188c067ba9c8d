"""A backup is of no server: what was taken in one time zone and order of words comes back into another."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.pentest.canaries import fill_tables
from tenant_pipeline.services import roles
from tenant_pipeline.services.backup import taking
from tenant_pipeline.services.backup.restoring import restore
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.embedded_postgres import EmbeddedPostgres, running_dsn
from tenant_pipeline.storage.sealed_file import Opener, new_recovery_key
from tenant_pipeline.storage.table_copy import copy_out
from tests.integration.conftest import ATTACKER, VICTIM
from tests.integration.releasable import publish_draft, releasable, served
from tests.registered import registered

PASSPHRASE = "a long passphrase"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of its own that has a locale in which words have another order than by code point."""
    localedef = shutil.which("localedef")
    with tempfile.TemporaryDirectory(prefix="tenant-runtime-test-") as folder, pytest.MonkeyPatch.context() as patch:
        Path(folder).chmod(0o755)
        made = Path(folder) / "en_US.UTF-8"
        if (
            localedef is None
            or subprocess.run(
                [localedef, "-i", "en_US", "-f", "UTF-8", made], capture_output=True, check=False
            ).returncode
        ):
            pytest.skip("no locale but C can be made here: Debian's package `locales` has what it takes")
        patch.setenv("LOCPATH", folder)
        with EmbeddedPostgres(Path(folder) / "postgres"):
            dsn = running_dsn(Path(folder) / "postgres")
            assert dsn is not None
            yield dsn


def _database(server: str, name: str) -> SecretStr:
    """A database in whose locale words have another order, and in which values are written otherwise."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'en_US.UTF-8'")
    _set(server, name, "bytea_output = 'escape'", "extra_float_digits = 0", "TimeZone = 'Asia/Bangkok'")
    return SecretStr(make_conninfo(server, dbname=name))


def _set(server: str, database: str, *settings: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        for setting in settings:
            connection.execute(f"ALTER DATABASE {database} SET {setting}")


@pytest.fixture(scope="module")
def in_bangkok(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Runtime, TenantId]]:
    """An installation on such a server, with a row in every table and a release that is served."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), database_dsn=_database(server, "city"))
    with open_runtime(settings) as runtime:
        for tenant in (VICTIM, ATTACKER):
            registered(runtime, tenant)
        with psycopg.connect(runtime.database.conninfo()) as connection:
            fill_tables(connection, VICTIM)
        made = releasable(runtime)
        publish_draft(runtime, made.tenant)
        for person in ("Zoe", "anan", "_nobody"):
            roles.grant_role(runtime, made.tenant, person=person, role="reviewer", granted_by="test")
        yield runtime, made.tenant


@pytest.mark.slow
def test_what_was_taken_in_bangkok_comes_back_in_utc_and_is_taken_there_as_the_same_bytes(
    server: str, in_bangkok: tuple[Runtime, TenantId], tmp_path: Path
) -> None:
    runtime, tenant = in_bangkok
    recipient, opener = new_recovery_key(tmp_path / "key", PASSPHRASE), Opener(tmp_path / "key", PASSPHRASE)
    taken = taking.take_backup(runtime, tmp_path / "backups", recipient)
    settings = Settings(home=tmp_path / "home", database_dsn=SecretStr(server))
    restore(
        settings, tmp_path / "backups", opener, taken["snapshot"], actor="operator", signed_by=None, feeds_go_on=True
    )
    with open_runtime(settings) as moved:
        assert served(moved, tenant) == served(runtime, tenant)
        again = _digests(taking.take_backup(moved, tmp_path / "again", recipient))
    went_on = {path for path, digest in _digests(taken).items() if again[path] != digest}
    # The restore is on record, and no instance gets a password again that it had before.
    assert went_on == {"runtime.audit_log", "runtime.instance_logins"}


@pytest.mark.slow
def test_what_an_older_release_took_on_such_a_server_comes_back_into_one_like_it(
    server: str, in_bangkok: tuple[Runtime, TenantId], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, tenant = in_bangkok
    recipient, opener = new_recovery_key(tmp_path / "key", PASSPHRASE), Opener(tmp_path / "key", PASSPHRASE)
    monkeypatch.setattr(taking, "copy_out", partial(copy_out, as_set_here=True))
    snapshot = taking.take_backup(runtime, tmp_path / "backups", recipient)["snapshot"]
    settings = Settings(home=tmp_path / "home", database_dsn=_database(server, "like_it"))
    _set(server, "like_it", "TimeZone = 'UTC'")
    with pytest.raises(IntegrityError, match="same TimeZone and locale"):
        restore(settings, tmp_path / "backups", opener, snapshot, actor="operator", signed_by=None)
    _set(server, "like_it", "TimeZone = 'Asia/Bangkok'")
    restore(settings, tmp_path / "backups", opener, snapshot, actor="operator", signed_by=None)
    with open_runtime(settings) as again:
        assert served(again, tenant) == served(runtime, tenant)


def _digests(taken: dict[str, Any]) -> dict[str, str]:
    served = [table for tables in taken["served"].values() for table in tables]
    return {table["path"]: table["sha256"] for table in [*taken["tables"], *served]}

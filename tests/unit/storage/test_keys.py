"""What is promised about keys: private, one for all processes, and gone when destroyed."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.keys import KeyRing, KeysDestroyedError

PHUKET, KRABI = TenantId("phuket"), TenantId("krabi")


def test_keys_last_and_differ_by_tenant_and_purpose(tmp_path: Path) -> None:
    first, again = KeyRing(tmp_path / "keys"), KeyRing(tmp_path / "keys")
    assert first.raw_zone_key(PHUKET) == again.raw_zone_key(PHUKET)
    assert first.digest_key(PHUKET) == again.digest_key(PHUKET)
    keys = {
        first.raw_zone_key(PHUKET), first.raw_zone_key(KRABI), first.digest_key(PHUKET).secret,
        first.digest_key(KRABI).secret, first.login_secret(), first.audit_signing_key().private_bytes_raw(),
    }  # fmt: skip
    assert len(keys) == 6
    assert {len(key) for key in keys} == {32}
    assert first.digest_key(PHUKET).key_id != first.digest_key(KRABI).key_id


def test_key_files_are_private_and_hold_no_tenant_key_in_the_clear(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys")
    clear = (ring.raw_zone_key(PHUKET), ring.digest_key(PHUKET).secret)
    paths = [tmp_path / "keys", *(tmp_path / "keys").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    content = b"".join(path.read_bytes() for path in paths if path.is_file())
    assert not any(key in content for key in clear)


def test_no_key_is_in_a_repr(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys")
    key = ring.digest_key(PHUKET)
    assert repr(key.secret) not in repr(key)
    assert str(tmp_path) not in repr(ring)


def test_processes_that_ask_at_once_get_the_same_keys(tmp_path: Path) -> None:
    ask = (
        "import sys, pathlib; from tenant_pipeline.storage.keys import KeyRing;"
        "ring = KeyRing(pathlib.Path(sys.argv[1])); sys.stdin.read();"
        "print(ring.login_secret().hex(), *(ring.raw_zone_key(f'tenant-{n}').hex() for n in range(40)))"
    )
    asking = [
        subprocess.Popen([sys.executable, "-c", ask, str(tmp_path / "keys")], stdin=-1, stdout=-1) for _ in range(4)
    ]
    with ThreadPoolExecutor(len(asking)) as threads:
        answers = {answer for answer, _ in threads.map(lambda process: process.communicate(b""), asking)}
    assert len(answers) == 1
    assert len(answers.pop().split()) == 41


def test_destroyed_keys_are_gone_for_good_and_only_that_tenants(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys")
    ring.raw_zone_key(PHUKET)
    ring.digest_key(PHUKET)
    kept = ring.raw_zone_key(KRABI)
    ring.destroy(PHUKET)
    ring.destroy(PHUKET)
    for read in (ring.raw_zone_key, ring.digest_key, KeyRing(tmp_path / "keys").raw_zone_key):
        with pytest.raises(KeysDestroyedError):
            read(PHUKET)
    assert not [path for path in (tmp_path / "keys").rglob("*") if PHUKET in path.parts]
    assert ring.raw_zone_key(KRABI) == kept


def test_a_key_made_while_it_is_destroyed_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring, other = KeyRing(tmp_path / "keys"), KeyRing(tmp_path / "keys")
    ring.login_secret()
    check = ring.require_not_destroyed

    def destroyed_after_the_check(tenant: TenantId) -> None:
        check(tenant)
        other.destroy(tenant)

    monkeypatch.setattr(ring, "require_not_destroyed", destroyed_after_the_check)
    with pytest.raises(KeysDestroyedError):
        ring.raw_zone_key(PHUKET)
    assert not (tmp_path / "keys" / "tenants" / PHUKET).exists()


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 60])
def test_a_changed_key_file_is_noticed(tmp_path: Path, damage: bytes) -> None:
    ring = KeyRing(tmp_path / "keys")
    ring.raw_zone_key(PHUKET)
    (tmp_path / "keys" / "tenants" / PHUKET / "raw-zone").write_bytes(damage)
    with pytest.raises(IntegrityError):
        ring.raw_zone_key(PHUKET)


def test_a_key_file_of_another_tenant_or_purpose_is_noticed(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys")
    ring.raw_zone_key(PHUKET), ring.raw_zone_key(KRABI), ring.digest_key(KRABI)
    tenants = tmp_path / "keys" / "tenants"
    original = (tenants / KRABI / "raw-zone").read_bytes()
    for foreign in (tenants / PHUKET / "raw-zone", tenants / KRABI / "digest"):
        (tenants / KRABI / "raw-zone").write_bytes(foreign.read_bytes())
        with pytest.raises(IntegrityError):
            ring.raw_zone_key(KRABI)
    (tenants / KRABI / "raw-zone").write_bytes(original)
    ring.raw_zone_key(KRABI)


def test_a_lost_master_key_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys")
    ring.raw_zone_key(PHUKET)
    (tmp_path / "keys" / "master.key").unlink()
    with pytest.raises(IntegrityError):
        ring.login_secret()


def test_a_new_digest_key_is_the_one_in_use_and_the_old_one_is_kept_until_it_is_destroyed(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys")
    first = ring.digest_key(PHUKET)
    second = ring.make_digest_key(PHUKET, 2)
    assert second != first
    assert ring.make_digest_key(PHUKET, 2) == second == KeyRing(tmp_path / "keys").digest_key(PHUKET)
    assert ring.digest_keys(PHUKET) == {1: first, 2: second}
    assert ring.digest_keys(KRABI) == {1: ring.digest_key(KRABI)}
    for _ in range(2):
        ring.destroy_digest_key(PHUKET, 1)
    assert ring.digest_keys(PHUKET) == {2: second}


@pytest.mark.parametrize("version", [1, 3, 4])
def test_a_version_is_neither_skipped_nor_made_again_after_it_was_destroyed(tmp_path: Path, version: int) -> None:
    ring = KeyRing(tmp_path / "keys")
    ring.make_digest_key(PHUKET, 1)
    ring.make_digest_key(PHUKET, 2)
    ring.destroy_digest_key(PHUKET, 1)
    if version == 3:
        assert ring.make_digest_key(PHUKET, 3) == ring.digest_key(PHUKET)
    else:
        with pytest.raises(ValueError, match="does not follow"):
            ring.make_digest_key(PHUKET, version)
    assert 1 not in ring.digest_keys(PHUKET)


def test_the_digest_key_in_use_cannot_be_destroyed_and_all_go_with_the_tenant(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys")
    ring.make_digest_key(PHUKET, 2)
    with pytest.raises(ValueError, match="in use"):
        ring.destroy_digest_key(PHUKET, 2)
    ring.destroy(PHUKET)
    with pytest.raises(KeysDestroyedError):
        ring.digest_keys(PHUKET)
    assert not (tmp_path / "keys" / "tenants" / PHUKET).exists()


def test_a_digest_key_file_of_another_version_is_noticed(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys")
    ring.digest_key(PHUKET), ring.make_digest_key(PHUKET, 2)
    folder = tmp_path / "keys" / "tenants" / PHUKET
    (folder / "digest-2").write_bytes((folder / "digest").read_bytes())
    with pytest.raises(IntegrityError):
        ring.digest_key(PHUKET)


@pytest.mark.parametrize("name", ["../krabi.destroyed", "../../master.key", "digest-0", "digest-2x", "another", ""])
def test_out_of_escrow_nothing_comes_but_keys_by_their_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(IntegrityError):
        KeyRing(tmp_path / "keys").take_over(PHUKET, {name: b"k" * 32})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]

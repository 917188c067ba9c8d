"""What is promised about stored files: whole or absent, once, private, and theirs alone who own them."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError, IntegrityError, NotFoundError
from tenant_pipeline.core.tables import RawObjects
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.object_store import DRAFT, RawZone, Zone
from tenant_pipeline.storage.object_store_folder import ObjectStore

PHUKET = TenantId("phuket")
KEY = b"k" * 32
CONTENT = b"somchai 081-234-5678\n" * 20_000
DIGEST = Sha256(hashlib.sha256(CONTENT).hexdigest())
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


@pytest.fixture
def raw(store: ObjectStore) -> RawZone:
    return RawZone(store, PHUKET, KEY)


def files(store: ObjectStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


def leftovers(store: ObjectStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if ".draft-" in str(path)]


@pytest.mark.parametrize("content", [b"", b"x", CONTENT])
@pytest.mark.parametrize("key", [None, KEY])
def test_what_is_put_is_found_under_its_digest(store: ObjectStore, content: bytes, key: bytes | None) -> None:
    zone = Zone(store, PHUKET, "raw", key)
    digest, size = zone.put(io.BytesIO(content))
    assert (digest, size) == (hashlib.sha256(content).hexdigest(), len(content))
    with zone.open(digest) as stream:
        assert stream.read() == content
        stream.seek(size // 2)
        assert stream.read() == content[size // 2 :]


def test_a_raw_zone_is_what_the_stages_ask_for(raw: RawZone) -> None:
    objects: RawObjects = raw
    assert objects.put(io.BytesIO(CONTENT)) == (DIGEST, len(CONTENT))


def test_the_raw_zone_is_private_and_unreadable(store: ObjectStore, raw: RawZone) -> None:
    raw.put(io.BytesIO(CONTENT))
    paths = [store.root, *store.root.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    assert not any(b"somchai" in path.read_bytes() for path in files(store))


def test_putting_the_same_content_again_writes_nothing_and_renews_its_time(store: ObjectStore, raw: RawZone) -> None:
    raw.put(io.BytesIO(CONTENT))
    before = {path: path.stat().st_ino for path in files(store)}
    for path in before:
        os.utime(path, (0, 0))
    assert raw.put(io.BytesIO(CONTENT)) == (DIGEST, len(CONTENT))
    assert {path: path.stat().st_ino for path in files(store)} == before
    assert all(path.stat().st_mtime for path in before)


def test_a_file_is_removed_only_when_it_was_last_handed_in_before_then(store: ObjectStore, raw: RawZone) -> None:
    raw.put(io.BytesIO(CONTENT))
    ((digest, size, at),) = raw.stored()
    assert (digest, size > len(CONTENT)) == (DIGEST, True)
    assert not raw.remove(DIGEST, at - timedelta(seconds=1))
    assert DIGEST in raw
    assert raw.remove(DIGEST, at + timedelta(seconds=1))
    assert not raw.remove(DIGEST, at + timedelta(seconds=1))
    assert files(store) == []


@pytest.mark.parametrize("look", [ObjectStore.listed, ObjectStore.dated])
def test_what_is_there_is_listed_though_drafts_vanish_meanwhile(
    store: ObjectStore, raw: RawZone, monkeypatch: pytest.MonkeyPatch, look: Callable[..., Iterator[tuple[Any, ...]]]
) -> None:
    raw.put(io.BytesIO(CONTENT))
    draft = store.root / PHUKET / "raw" / f"{DRAFT}of-a-stage"
    draft.mkdir()

    def read_when_it_is_gone(path: Any, read: Any = os.scandir) -> Any:
        if str(path) == str(draft):
            draft.rmdir()
        return read(path)

    monkeypatch.setattr(os, "scandir", read_when_it_is_gone)
    assert [name for name, *_ in look(store, PHUKET)] == [f"{PHUKET}/raw/{DIGEST[:2]}/{DIGEST}"]
    assert not draft.exists()


def test_all_is_deleted_though_a_draft_vanishes_meanwhile(
    store: ObjectStore, raw: RawZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw.put(io.BytesIO(CONTENT))
    draft = store.root / PHUKET / "raw" / f"{DRAFT}of-a-stage"
    draft.mkdir()

    def open_when_it_is_gone(path: Any, *arguments: Any, opening: Any = os.open, **options: Any) -> int:
        if str(path).endswith(draft.name):
            draft.rmdir()
        return opening(path, *arguments, **options)

    monkeypatch.setattr(os, "open", open_when_it_is_gone)
    assert store.delete(PHUKET) == 1
    assert not draft.exists()
    assert not (store.root / PHUKET).exists()


def test_a_damaged_file_is_noticed_and_mended_also_where_nothing_is_encrypted(store: ObjectStore) -> None:
    zone = Zone(store, PHUKET, "raw", None)
    zone.put(io.BytesIO(CONTENT))
    (path,) = files(store)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(IntegrityError), zone.open(DIGEST) as stream:
        stream.read()
    zone.put(io.BytesIO(CONTENT))
    with zone.open(DIGEST) as stream:
        assert stream.read() == CONTENT


@pytest.mark.parametrize("key", [None, KEY])
def test_a_file_put_in_the_place_of_another_is_noticed(store: ObjectStore, key: bytes | None) -> None:
    zone = Zone(store, PHUKET, "raw", key)
    zone.put(io.BytesIO(CONTENT))
    (path,) = files(store)
    other, _ = zone.put(io.BytesIO(b"another content"))
    (path_of_other,) = set(files(store)) - {path}
    path_of_other.replace(path)
    with pytest.raises(IntegrityError):
        zone.open(DIGEST)
    with pytest.raises(NotFoundError):
        zone.open(other)


@pytest.mark.parametrize("name", ["../krabi", "a/b", "", ".", "..", "Phuket", "phuket\n", "phuket\0"])
def test_a_tenant_id_cannot_lead_elsewhere(store: ObjectStore, name: str) -> None:
    with pytest.raises(InputError):
        RawZone(store, TenantId(name), KEY)


@pytest.mark.parametrize("digest", ["", "../" * 8, "A" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n", "٠" * 64])
def test_a_digest_cannot_lead_elsewhere(raw: RawZone, digest: str) -> None:
    with pytest.raises(NotFoundError):
        raw.open(Sha256(digest))


def test_a_stream_that_fails_leaves_no_trace(store: ObjectStore, raw: RawZone) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            piece = super().read(size)
            if not piece:
                raise OSError("the connection was lost")
            return piece

    with pytest.raises(OSError, match="lost"):
        raw.put(Failing(CONTENT))
    assert not files(store)
    assert not leftovers(store)


def test_the_files_of_a_draft_are_seen_only_when_it_is_published(raw: RawZone) -> None:
    with raw.draft() as draft:
        digests = []
        for content in (b"one", b"two", b"one"):
            with draft.new_file() as file:
                file.write(content)
                digests.append(file.finish())
        assert not any(digest in raw for digest in digests)
        draft.publish()
    assert all(digest in raw for digest in digests)


KILLED_WHILE_WRITING = """
import os, signal, sys, pathlib
from tenant_pipeline.storage.object_store import RawZone
from tenant_pipeline.storage.object_store_folder import ObjectStore
with RawZone(ObjectStore(pathlib.Path(sys.argv[1])), "phuket", b"k" * 32).draft() as draft:
    with draft.new_file() as file:
        file.write(b"x" * 1_000_000)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_writer_sweeps_away_what_a_killed_one_left(store: ObjectStore, raw: RawZone) -> None:
    died = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(store.root)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert leftovers(store)
    with raw.draft():
        assert len([path for path in leftovers(store) if path.is_dir()]) == 1
    assert not leftovers(store)


def test_a_living_writer_is_not_swept_away(raw: RawZone) -> None:
    with raw.draft() as slow:
        with slow.new_file() as file:
            file.write(b"slow")
            raw.put(io.BytesIO(b"quick"))
            digest = file.finish()
        slow.publish()
    assert digest in raw


MANY_WRITERS = """
import io, sys, pathlib
from tenant_pipeline.storage.object_store import RawZone
from tenant_pipeline.storage.object_store_folder import ObjectStore
raw = RawZone(ObjectStore(pathlib.Path(sys.argv[1])), "phuket", b"k" * 32)
for number in range(60):
    raw.put(io.BytesIO(str(number).encode() * 1000))
"""


def test_writers_of_the_same_files_do_not_disturb_each_other(store: ObjectStore, raw: RawZone) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", MANY_WRITERS, str(store.root)]) for _ in range(4)]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0, 0]
    assert len(files(store)) == 60
    assert not leftovers(store)
    for number in range(60):
        content = str(number).encode() * 1000
        with raw.open(Sha256(hashlib.sha256(content).hexdigest())) as stream:
            assert stream.read() == content


KILLED_WHILE_REMOVING = """
import datetime, os, pathlib, signal, sys
from tenant_pipeline.storage.object_store_folder import ObjectStore
class Dies(datetime.datetime):
    def timestamp(self):
        os.kill(os.getpid(), signal.SIGKILL)
ObjectStore(pathlib.Path(sys.argv[1])).remove(sys.argv[2], Dies.now(datetime.UTC))
"""


def test_a_file_whose_removal_was_killed_is_still_found_and_removed_the_next_time(
    store: ObjectStore, raw: RawZone
) -> None:
    raw.put(io.BytesIO(CONTENT))
    ((name, _),) = store.listed("phuket")
    died = subprocess.run([sys.executable, "-c", KILLED_WHILE_REMOVING, str(store.root), name], check=False)
    assert died.returncode == -signal.SIGKILL
    ((digest, _, at),) = raw.stored()
    assert raw.remove(digest, at + timedelta(seconds=1))
    assert not list(store.listed("phuket"))
    assert not raw.remove(digest, at + timedelta(seconds=1))


def test_a_file_that_is_handed_in_while_it_is_removed_is_there_afterwards(store: ObjectStore, raw: RawZone) -> None:
    """Whoever comes first: what was handed in stays, however closely a removal of what was old goes along with it."""
    digest, _ = raw.put(io.BytesIO(b"hall"))
    ((name, _),) = store.listed("phuket")
    stop = threading.Event()

    def remove_what_is_old() -> None:
        while not stop.is_set():
            raw.remove(digest, LONG_AGO + timedelta(days=1))

    remover = threading.Thread(target=remove_what_is_old)
    remover.start()
    try:
        for _ in range(200):
            with suppress(FileNotFoundError):
                os.utime(store.root / name, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
            raw.put(io.BytesIO(b"hall"))
            with raw.open(digest) as stream:
                assert stream.read() == b"hall"
    finally:
        stop.set()
        remover.join()

"""An upload that was interrupted goes on where it stopped, and what is stored at last is what was sent."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.core.errors import InputError, IntegrityError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage import upload as upload_module
from tenant_pipeline.storage.encrypted_file import CHUNK_BYTES
from tenant_pipeline.storage.object_store import RawZone
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tenant_pipeline.storage.upload import KEPT_SECONDS

KEY = b"k" * 32


def _zone(folder: Path) -> RawZone:
    return RawZone(ObjectStore(folder / "objects"), TenantId("a-tenant"), KEY)


@pytest.fixture
def zone(tmp_path: Path) -> RawZone:
    return _zone(tmp_path)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@settings(max_examples=40, deadline=None)
@given(sessions=st.lists(st.integers(0, 3 * CHUNK_BYTES), min_size=1, max_size=4))
def test_any_number_of_sessions_store_what_was_sent(
    tmp_path_factory: pytest.TempPathFactory, sessions: list[int]
) -> None:
    zone = _zone(tmp_path_factory.mktemp("zone"))
    content = os.urandom(sum(sessions))
    for number, length in enumerate(sessions):
        with zone.upload("venues") as upload:
            assert upload.offset == sum(sessions[:number])
            upload.write(content[upload.offset : upload.offset + length])
            if number == len(sessions) - 1:
                digest, size = upload.finish()
    assert (digest, size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert zone.open(digest).read() == content


def test_an_upload_leaves_nothing_but_the_stored_file(zone: RawZone, tmp_path: Path) -> None:
    zone.put_resumably(io.BytesIO(b"x" * 100_000), "one")
    assert [path.parent.parent.name for path in _files(tmp_path)] == ["raw"]


def test_a_killed_upload_goes_on_where_it_stopped(zone: RawZone, tmp_path: Path) -> None:
    content = os.urandom(40 * CHUNK_BYTES + 17)
    (tmp_path / "content").write_bytes(content)
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from tenant_pipeline.storage.object_store import RawZone\n"
        "from tenant_pipeline.storage.object_store_folder import ObjectStore\n"
        "from tenant_pipeline.core.tenancy import TenantId\n"
        "zone = RawZone(ObjectStore(Path(sys.argv[1]) / 'objects'), TenantId('a-tenant'), b'k' * 32)\n"
        "content = (Path(sys.argv[1]) / 'content').read_bytes()\n"
        "with zone.upload('venues') as upload:\n"
        "    upload.write(content[:30 * 65536 + 5])\n"
        "    upload._file.flush()\n"
        "    print('half', flush=True)\n"
        "    time.sleep(60)\n"
    )
    root = str(Path(__file__).resolve().parents[3])
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert child.stdout is not None
    child.stdout.readline()
    with pytest.raises(InputError, match="already"), zone.upload("venues"):
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with zone.upload("venues") as upload:
        assert 29 * CHUNK_BYTES <= upload.offset <= 30 * CHUNK_BYTES + 5
        upload.write(content[upload.offset :])
        digest, _ = upload.finish()
    assert zone.open(digest).read() == content


def test_a_part_that_was_changed_ends_before_the_change(zone: RawZone, tmp_path: Path) -> None:
    content = os.urandom(5 * CHUNK_BYTES)
    with zone.upload("venues") as upload:
        upload.write(content)
    (part,) = (path for path in _files(tmp_path) if path.suffix == ".part")
    damaged = bytearray(part.read_bytes())
    damaged[3 * CHUNK_BYTES] ^= 1
    part.write_bytes(damaged)
    with zone.upload("venues") as upload:
        assert upload.offset == 2 * CHUNK_BYTES
        upload.write(content[upload.offset :])
        digest, _ = upload.finish()
    assert zone.open(digest).read() == content


def test_what_was_damaged_after_more_had_followed_is_never_stored_and_the_upload_begins_anew(
    zone: RawZone, tmp_path: Path
) -> None:
    content = os.urandom(3 * CHUNK_BYTES)
    for start, end in ((0, CHUNK_BYTES + 5), (CHUNK_BYTES + 5, 2 * CHUNK_BYTES)):
        with zone.upload("venues") as upload:
            upload.write(content[start:end])
    first = min(path for path in _files(tmp_path) if path.suffix == ".part")
    damaged = bytearray(first.read_bytes())
    damaged[CHUNK_BYTES // 2] ^= 1
    first.write_bytes(damaged)
    with zone.upload("venues") as upload:
        assert upload.offset == 2 * CHUNK_BYTES
        upload.write(content[upload.offset :])
        with pytest.raises(IntegrityError, match="damaged"):
            upload.finish()
    assert not list(zone.stored())
    with zone.upload("venues") as upload:
        assert upload.offset == 0
        upload.write(content)
        digest, _ = upload.finish()
    assert zone.open(digest).read() == content


def test_going_on_reads_what_came_last_and_not_all_that_has_arrived(
    zone: RawZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    def looked_at(source: BinaryIO, *arguments: Any, length: Any = upload_module.whole_chunks_length) -> Any:
        read.append(source)
        return length(source, *arguments)

    monkeypatch.setattr(upload_module, "whole_chunks_length", looked_at)
    for number in range(6):
        with zone.upload("venues") as upload:
            assert upload.offset == number * 1000
            upload.write(b"x" * 1000)
    assert len(read) == 5


def test_what_lies_on_the_disk_meanwhile_is_encrypted(zone: RawZone, tmp_path: Path) -> None:
    said = b"a telephone number " * 10_000
    with zone.upload("venues") as upload:
        upload.write(said)
    lying = [path.read_bytes() for path in _files(tmp_path)]
    assert sum(map(len, lying)) > len(said)
    assert not [each for each in lying if b"telephone" in each]


def test_an_upload_that_nobody_goes_on_with_is_removed(zone: RawZone, tmp_path: Path) -> None:
    with zone.upload("old") as upload:
        upload.write(b"x" * 1000)
    (place,) = (tmp_path / "objects" / "a-tenant" / "uploads").iterdir()
    long_ago = time.time() - KEPT_SECONDS - 10
    with zone.upload("slow") as upload:
        (slow,) = set(place.parent.iterdir()) - {place}
        for each in (place, slow):
            os.utime(each, (long_ago, long_ago))
        zone.put_resumably(io.BytesIO(b"y"), "new")
        assert not place.exists()
        upload.write(b"z")
        assert upload.finish()[1] == 1, "one that is in hand is not removed"

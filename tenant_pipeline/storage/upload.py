"""Uploads that survive interruption: what has arrived stays, encrypted, and the rest is appended to it later.

An upload is a folder of parts, one a session. A part that a killed session left is cut back to its last whole chunk
before the next one is begun, and never written to again, so that no nonce is used twice; what came before it is not
read again. An upload that came in one session becomes the stored file as it is; the parts of an interrupted one are put
together once, at the end. The parts lie on this machine's disk wherever the stored file will lie: what is half there is
of no use elsewhere, and an upload comes back to where it was.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from tenant_pipeline.core.digest import Sha256, short_id
from tenant_pipeline.core.errors import InputError, IntegrityError
from tenant_pipeline.storage.encrypted_file import EncryptedWriter, plain_size, whole_chunks, whole_chunks_length
from tenant_pipeline.storage.private_folder import make_private_folder

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from tenant_pipeline.storage.object_store import Zone

UPLOADS = "uploads"
"""The folder of a tenant in which its uploads wait for their end."""
PART = b"part of an upload"
KEPT_SECONDS = 7 * 24 * 3600
"""So long an upload that nobody goes on with is kept."""


class Upload:
    """An upload in hand: `offset` bytes of it have arrived."""

    def __init__(self, zone: Zone, folder: Path, key: bytes) -> None:
        self._zone = zone
        self._folder = folder
        self._key = key
        self._parts = sorted(folder.glob("*.part"))
        self.offset = sum(plain_size(part.stat().st_size) for part in self._parts[:-1])
        self.offset += sum(_settled(part, key) for part in self._parts[-1:])
        self._sha256 = hashlib.sha256()
        self._file: BinaryIO = (folder / f"{len(self._parts):06d}.part").open("xb")
        self._writer = EncryptedWriter(self._file, key)
        self._finished = False

    def write(self, data: bytes) -> None:
        """Take in the bytes that follow at `offset`."""
        self._sha256.update(data)
        self._writer.write(data)
        self.offset += len(data)

    def finish(self) -> tuple[Sha256, int]:
        """The upload is whole: store it under its digest, and return that and its size in bytes.

        Raises IntegrityError where a part was damaged since others followed it; the upload then begins anew.
        """
        self._finished = True
        if self._parts:
            self._end_part(PART)
            parts = sorted(self._folder.glob("*.part"))
            joined = _Joined(parts, self._key, self.offset)
            try:
                stored = self._zone.put(cast(BinaryIO, io.BufferedReader(joined, 1024 * 1024)))
            except IntegrityError:
                shutil.rmtree(self._folder)
                raise
        else:
            digest = Sha256(self._sha256.hexdigest())
            self._end_part(self._sha256.digest())
            self._zone.publish([(digest, Path(self._file.name))])
            stored = digest, self.offset
        shutil.rmtree(self._folder)
        return stored

    def close(self) -> None:
        """End the session; what has arrived stays for the next one."""
        if not self._finished:
            self._end_part(PART)

    def _end_part(self, name: bytes) -> None:
        try:
            self._writer.finish(name)
            self._file.flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()


@contextmanager
def open_upload(zone: Zone, folder: Path, key: bytes, name: str) -> Iterator[Upload]:
    """The upload called `name`, begun now or gone on with. Raises InputError while another process has it in hand."""
    make_private_folder(folder, folder.parent.parent)
    _sweep(folder)
    place = folder / short_id("up-", (name,), length=32)
    place.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                "The same file is being uploaded already", where="upload", remedy="Wait until that upload has ended."
            ) from None
        os.utime(place)
        upload = Upload(zone, place, key)
        try:
            yield upload
        finally:
            upload.close()
    finally:
        os.close(lock)


def _settled(part: Path, key: bytes) -> int:
    """The plain bytes of a part; one that a killed session left is cut back to its whole chunks."""
    with part.open("r+b") as file:
        plain, stored = whole_chunks_length(file, key, PART)
        file.truncate(stored)
        os.fsync(file.fileno())
    return plain


def sweep_uploads(staging: Path) -> None:
    """Remove what has arrived, of all tenants, of uploads that nobody has gone on with for a week."""
    for folder in staging.glob(f"*/{UPLOADS}"):
        _sweep(folder)


def _sweep(folder: Path) -> None:
    """Remove uploads that nobody has gone on with for a week, and that no process has in hand."""
    for place in folder.iterdir():
        with suppress(FileNotFoundError):  # another upload has just been finished
            if _is_old(place):
                lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    with suppress(BlockingIOError):
                        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        if _is_old(place):
                            shutil.rmtree(place, ignore_errors=True)
                finally:
                    os.close(lock)


def _is_old(place: Path) -> bool:
    return time.time() - place.stat().st_mtime > KEPT_SECONDS


class _Joined(io.RawIOBase):
    """The plain bytes of parts, one behind the other. Raises IntegrityError at their end where they are not so many."""

    def __init__(self, parts: list[Path], key: bytes, size: int) -> None:
        super().__init__()
        self._chunks = self._all(parts, key, size)
        self._held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        while not self._held:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._held = memoryview(chunk)
        count = min(len(view), len(self._held))
        view[:count] = self._held[:count]
        self._held = self._held[count:]
        return count

    @staticmethod
    def _all(parts: list[Path], key: bytes, size: int) -> Iterator[bytes]:
        left = size
        for part in parts:
            with part.open("rb") as file:
                for chunk in whole_chunks(file, key, PART):
                    left -= len(chunk)
                    yield chunk
        if left:
            raise IntegrityError(
                "What had arrived of an upload was damaged", where="upload", remedy="Send it again from its beginning."
            )

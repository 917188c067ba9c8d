"""Content-addressed files of each tenant: the encrypted raw zone, and the plain outputs of the later stages.

A file appears under the SHA-256 of its plain bytes, at once and whole, or not at all: it is written in a draft folder
beside its place, synced, and renamed. What a killed process left half-written stays in its draft, which no reader
looks into and the next writer sweeps away.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import IntegrityError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.storage.encrypted_file import EncryptedWriter, open_encrypted
from tenant_pipeline.storage.private_folder import make_private_folder, sync
from tenant_pipeline.storage.upload import Upload, open_upload

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

READ_BYTES = 1024 * 1024
DRAFT = ".draft-"

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ObjectStore:
    """Files below one folder, a folder a tenant, private to the user that runs the runtime."""

    def __init__(self, root: Path) -> None:
        self.root = root


class Zone:
    """Files of one tenant under their SHA-256, fanned out by its first two digits; encrypted if there is a key."""

    def __init__(self, store: ObjectStore, tenant: TenantId, name: str, key: bytes | None = None) -> None:
        self._root = store.root
        self._directory = store.root / tenant_id(tenant) / name
        self._key = key

    def __contains__(self, digest: Sha256) -> bool:
        return self._place(digest).exists()

    def open(self, digest: Sha256) -> BinaryIO:
        """The plain bytes, seekable, closed by the caller.

        Raises NotFoundError when there are none of that digest, IntegrityError where they were changed: an encrypted
        file at the chunk that was changed, a plain one at once.
        """
        where = f"stored file {digest}"
        try:
            stream = self._place(digest).open("rb")
        except FileNotFoundError:
            raise NotFoundError(
                "There is no stored file of that digest", where=where, remedy="Run the stage that made it again."
            ) from None
        if self._key is not None:
            return open_encrypted(stream, self._key, bytes.fromhex(digest), where)
        if _sha256_of(stream) != digest:
            stream.close()
            raise IntegrityError(
                "A stored file is not what was written", where=where, remedy="Restore it from backup, or run again."
            )
        stream.seek(0)
        return stream

    def put(self, stream: BinaryIO) -> tuple[Sha256, int]:
        """Keep what `stream` holds, once; return its digest and size in bytes. Memory stays bounded."""
        with self.draft() as draft:
            with draft.new_file() as file:
                while data := stream.read(READ_BYTES):
                    file.write(data)
                digest = file.finish()
            draft.publish()
            return digest, file.size

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """Files that appear together. What is not published in the block leaves no trace."""
        make_private_folder(self._directory, self._root)
        self._sweep()
        folder, lock = self._new_draft_folder()
        try:
            yield Draft(self, folder)
        finally:
            shutil.rmtree(folder)
            os.close(lock)

    def encryption(self, target: BinaryIO) -> EncryptedWriter | None:
        """What encrypts a file of this zone into `target`, or None where files are plain."""
        return EncryptedWriter(target, self._key) if self._key is not None else None

    def move_in(self, file: Path, digest: Sha256) -> Path:
        """Move a finished file, synced, to its place and return the folder to sync.

        Where the same content lies whole already it is left alone; where it was damaged it is replaced.
        """
        place = self._place(digest)
        make_private_folder(place.parent, self._root)
        if not self._is_whole(digest):
            sync(file)
            file.replace(place)
        return place.parent

    def _place(self, digest: Sha256) -> Path:
        if not _SHA256.fullmatch(digest):
            raise NotFoundError("That is not a SHA-256 digest", where="object store")
        return self._directory / digest[:2] / digest

    def _is_whole(self, digest: Sha256) -> bool:
        try:
            with self.open(digest) as stream:
                return _sha256_of(stream) == digest
        except (NotFoundError, IntegrityError):
            return False

    def _new_draft_folder(self) -> tuple[Path, int]:
        """A draft folder, and the descriptor that locks it for as long as it is open."""
        while True:
            folder = Path(tempfile.mkdtemp(prefix=DRAFT, dir=self._directory))
            try:
                lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:  # another process swept it before it was locked, here or two lines below
                continue
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)

    def _sweep(self) -> None:
        for leftover in self._directory.glob(f"{DRAFT}*"):
            try:
                lock = os.open(leftover, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(leftover, ignore_errors=True)
            except BlockingIOError:
                pass  # its writer is alive
            finally:
                os.close(lock)


class RawZone(Zone):
    """A tenant's raw zone: whole files, encrypted with the tenant's key."""

    def __init__(self, store: ObjectStore, tenant: TenantId, key: bytes) -> None:
        super().__init__(store, tenant, "raw", key)
        self._uploads = store.root / tenant_id(tenant) / "uploads"
        self._upload_key = key

    @contextmanager
    def upload(self, name: str) -> Iterator[Upload]:
        """A file that arrives bit by bit, in one session or in several; `name` tells it from other uploads.

        Raises InputError while another process has the same upload in hand.
        """
        make_private_folder(self._directory, self._root)
        with open_upload(self, self._uploads, self._upload_key, name) as upload:
            yield upload

    def put_resumably(self, stream: BinaryIO, name: str) -> tuple[Sha256, int]:
        """As `put` for a seekable stream; what an interrupted call of the same name has stored is not read again."""
        with self.upload(name) as upload:
            stream.seek(upload.offset)
            while data := stream.read(READ_BYTES):
                upload.write(data)
            return upload.finish()


class Draft:
    """Files in the making that will appear together."""

    def __init__(self, zone: Zone, folder: Path) -> None:
        self._zone = zone
        self._folder = folder
        self._begun = 0
        self._finished: dict[Sha256, Path] = {}

    @contextmanager
    def new_file(self) -> Iterator[ContentWriter]:
        """A new file to write to. Only a finished one is published."""
        path = self._folder / str(self._begun)
        self._begun += 1
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            writer = ContentWriter(file, self._zone.encryption(file))
            yield writer
        if writer.digest is not None:
            self._finished.pop(writer.digest, None)  # the same content again takes its place in the order anew
            self._finished[writer.digest] = path

    def publish(self) -> None:
        """Move the finished files to their places: the last one last, when the others are there for good.

        So a file that names the others, finished after them, is never seen before them, whenever the power fails.
        """
        *others, last = self._finished.items()
        for folder in {self._zone.move_in(path, digest) for digest, path in others}:
            sync(folder)
        digest, path = last
        sync(self._zone.move_in(path, digest))
        self._finished.clear()


class ContentWriter(io.RawIOBase):
    """A file in the making, digested as it is written."""

    def __init__(self, file: BinaryIO, encryption: EncryptedWriter | None) -> None:
        super().__init__()
        self._file = file
        self._encryption = encryption
        self._sha256 = hashlib.sha256()
        self.size = 0
        self.digest: Sha256 | None = None

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, data: ReadableBuffer, /) -> int:
        content = bytes(data)
        self._sha256.update(content)
        self.size += len(content)
        (self._encryption or self._file).write(content)
        return len(content)

    def finish(self) -> Sha256:
        """Complete the file, and return the digest under which it will be found once it is published."""
        self.digest = Sha256(self._sha256.hexdigest())
        if self._encryption is not None:
            self._encryption.finish(self._sha256.digest())
        return self.digest


def _sha256_of(stream: BinaryIO) -> Sha256:
    sha256 = hashlib.sha256()
    while data := stream.read(READ_BYTES):
        sha256.update(data)
    return Sha256(sha256.hexdigest())

"""Content-addressed files of each tenant: the encrypted raw zone, and the plain outputs of the later stages.

A file appears under the SHA-256 of its plain bytes, at once and whole, or not at all: it is written in a draft folder
and then published. What a killed process left half-written stays in its draft, which no reader looks into and the next
writer sweeps away. Where the files lie, on this machine or in a bucket, is behind `Objects`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import IntegrityError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.storage.encrypted_file import EncryptedWriter, open_encrypted
from tenant_pipeline.storage.object_store_draft import Draft
from tenant_pipeline.storage.owned_folder import owned_folder
from tenant_pipeline.storage.private_folder import make_private_folder
from tenant_pipeline.storage.upload import UPLOADS, Upload, open_upload

READ_BYTES = 1024 * 1024
DRAFT = ".draft-"

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Objects(Protocol):
    """Where files of all tenants lie, by name (`tenant/zone/ab/abcd…`). One appears at once and whole, or not at all.

    `staging` is the folder of this machine in which files are made. Where it is not `private` (others can read what
    lies there), nothing is stored that is not encrypted.
    """

    @property
    def staging(self) -> Path: ...

    @property
    def private(self) -> bool: ...

    def holds(self, name: str) -> bool:
        """Whether there is a file of that name."""

    def open(self, name: str) -> BinaryIO:
        """The bytes, seekable, closed by the caller. Raises FileNotFoundError."""

    def publish(self, files: Sequence[tuple[str, Path | None]]) -> None:
        """Let files appear under their names: the last one last, when the others are there for good.

        One without a path is there already; it, too, is there for good afterwards.
        """

    def listed(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Every file below a folder of names: its name and its size in bytes."""

    def dated(self, prefix: str) -> Iterator[tuple[str, int, datetime]]:
        """As `listed`, and when each file was last published or renewed."""

    def renew(self, name: str) -> bool:
        """Let a file count as published now; False where it has to be published again for that."""

    def remove(self, name: str, before: datetime) -> bool:
        """Delete a file that was last published or renewed before then; whether it was."""

    def delete(self, prefix: str) -> int:
        """Delete all that lies below a folder of names, what is in the making too; return how many files."""


class Zone:
    """Files of one tenant under their SHA-256, fanned out by its first two digits; encrypted if there is a key."""

    def __init__(self, store: Objects, tenant: TenantId, name: str, key: bytes | None = None) -> None:
        self._store = store
        self._name = f"{tenant_id(tenant)}/{name}"
        self._staging = store.staging / tenant_id(tenant) / name
        self._key = key

    def __contains__(self, digest: Sha256) -> bool:
        return self._store.holds(self._place(digest))

    def open(self, digest: Sha256) -> BinaryIO:
        """The plain bytes, seekable, closed by the caller.

        Raises NotFoundError when there are none of that digest, IntegrityError where they were changed: an encrypted
        file at the chunk that was changed, a plain one at once.
        """
        where = f"stored file {digest}"
        try:
            stream = self._store.open(self._place(digest))
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

    def stored(self) -> Iterator[tuple[Sha256, int, datetime]]:
        """Every file: its digest, its size as it lies in bytes, and when it was last handed in."""
        for name, size, at in self._store.dated(self._name):
            digest = name.rpartition("/")[2]
            if _SHA256.fullmatch(digest) and name == self._place(Sha256(digest)):
                yield Sha256(digest), size, at

    def remove(self, digest: Sha256, before: datetime) -> bool:
        """Delete a file that was last handed in before then; whether it was. One that came in again meanwhile stays."""
        return self._store.remove(self._place(digest), before)

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """Files that appear together. What is not published in the block leaves no trace."""
        make_private_folder(self._staging, self._store.staging)
        with owned_folder(DRAFT, self._staging) as folder:
            yield Draft(self, folder)

    def encryption(self, target: BinaryIO) -> EncryptedWriter | None:
        """What encrypts a file of this zone into `target`, or None where files are plain."""
        return EncryptedWriter(target, self._key) if self._key is not None else None

    def publish(self, files: Sequence[tuple[Sha256, Path]]) -> None:
        """Let finished files appear under their digests: the last one last, when the others are there for good.

        Where the same content lies whole already it is left alone; where it was damaged it is replaced.
        """
        self._store.publish(
            [
                (place, None if self._is_whole(digest) and self._store.renew(place) else file)
                for digest, file in files
                for place in [self._place(digest)]
            ]
        )

    def _place(self, digest: Sha256) -> str:
        if not _SHA256.fullmatch(digest):
            raise NotFoundError("That is not a SHA-256 digest", where="object store")
        return f"{self._name}/{digest[:2]}/{digest}"

    def _is_whole(self, digest: Sha256) -> bool:
        if digest not in self:
            return False
        try:
            with self.open(digest) as stream:
                return _sha256_of(stream) == digest
        except (NotFoundError, IntegrityError):
            return False


class RawZone(Zone):
    """A tenant's raw zone: whole files, encrypted with the tenant's key."""

    def __init__(self, store: Objects, tenant: TenantId, key: bytes) -> None:
        super().__init__(store, tenant, "raw", key)
        self._uploads = store.staging / tenant_id(tenant) / UPLOADS
        self._upload_key = key

    @contextmanager
    def upload(self, name: str) -> Iterator[Upload]:
        """A file that arrives bit by bit, in one session or in several; `name` tells it from other uploads.

        Raises InputError while another process has the same upload in hand.
        """
        make_private_folder(self._staging, self._store.staging)
        with open_upload(self, self._uploads, self._upload_key, name) as upload:
            yield upload

    def put_resumably(self, stream: BinaryIO, name: str) -> tuple[Sha256, int]:
        """As `put` for a seekable stream; what an interrupted call of the same name has stored is not read again."""
        with self.upload(name) as upload:
            stream.seek(upload.offset)
            while data := stream.read(READ_BYTES):
                upload.write(data)
            return upload.finish()


def _sha256_of(stream: BinaryIO) -> Sha256:
    sha256 = hashlib.sha256()
    while data := stream.read(READ_BYTES):
        sha256.update(data)
    return Sha256(sha256.hexdigest())

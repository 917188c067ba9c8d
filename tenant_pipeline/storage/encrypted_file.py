"""Files that are encrypted and authenticated chunk by chunk, written as a stream and read at any position.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): AES-256-GCM over chunks of 64 KiB, the nonce made
of a random prefix, the chunk's number and whether it is the last, so that no chunk can be changed, moved, dropped or
added unseen. The file's own key is derived (HKDF-SHA-256) from the tenant's key and a random salt. The header is
authenticated with every chunk, and the file's name with the last one, so that no file can stand in for another.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.sized_stream import SizedStream

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAGIC = b"TRE1"
SALT_BYTES = 32
PREFIX_BYTES = 7
HEADER_BYTES = len(MAGIC) + SALT_BYTES + PREFIX_BYTES
CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16
SEALED_BYTES = CHUNK_BYTES + TAG_BYTES


def encrypted_size(plain: int) -> int:
    """How many bytes a file of so many has when it is encrypted."""
    return HEADER_BYTES + plain + TAG_BYTES * max(1, -(-plain // CHUNK_BYTES))


def plain_size(stored: int) -> int:
    """How many plain bytes a file of so many has that ends with a whole chunk, or has none; it is not looked at."""
    body = max(stored - HEADER_BYTES, 0)
    return body - TAG_BYTES * -(-body // SEALED_BYTES)


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"tenant raw zone file").derive(key))


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


class EncryptedWriter:
    """Encrypts what is written to it into `target`. The file is whole only after `finish`."""

    def __init__(self, target: BinaryIO, key: bytes) -> None:
        salt, self._prefix = os.urandom(SALT_BYTES), os.urandom(PREFIX_BYTES)
        self._target = target
        self._header = MAGIC + salt + self._prefix
        self._cipher = _cipher(key, salt)
        self._waiting = bytearray()
        self._number = 0
        target.write(self._header)

    def write(self, data: bytes) -> None:
        """Take in `data`; whole chunks go out, the rest waits."""
        self._waiting += data
        start = 0
        # The last chunk is marked, so a full one waits until it is known not to be the last.
        while len(self._waiting) - start > CHUNK_BYTES:
            chunk = bytes(self._waiting[start : start + CHUNK_BYTES])
            self._target.write(self._cipher.encrypt(_nonce(self._prefix, self._number, False), chunk, self._header))
            self._number += 1
            start += CHUNK_BYTES
        del self._waiting[:start]

    def finish(self, name: bytes) -> None:
        """Write the last chunk, and bind the file to the name under which alone it can be opened."""
        nonce = _nonce(self._prefix, self._number, True)
        self._target.write(self._cipher.encrypt(nonce, bytes(self._waiting), self._header + name))
        self._waiting.clear()


class EncryptedReader(SizedStream):
    """The plain bytes of an encrypted file, seekable, one chunk in memory.

    Raises IntegrityError at once where the file was cut, extended or renamed, and at the chunk where it was changed.
    """

    def __init__(self, source: BinaryIO, key: bytes, name: bytes, where: str) -> None:
        self._source = source
        self._name = name
        self._where = where
        stored = source.seek(0, io.SEEK_END)
        source.seek(0)
        self._header = source.read(HEADER_BYTES)
        body = stored - HEADER_BYTES
        self._chunks = max(1, -(-body // SEALED_BYTES))
        super().__init__(body - self._chunks * TAG_BYTES)
        if not self._header.startswith(MAGIC) or self._size < 0:
            raise self._broken()
        self._prefix = self._header[-PREFIX_BYTES:]
        self._cipher = _cipher(key, self._header[len(MAGIC) : len(MAGIC) + SALT_BYTES])
        self._loaded = -1
        self._chunk = memoryview(b"")
        self._load(self._chunks - 1)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        if self._position >= self._size or not view:
            return 0
        number, offset = divmod(self._position, CHUNK_BYTES)
        self._load(number)
        piece = self._chunk[offset : offset + len(view)]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()

    def _load(self, number: int) -> None:
        if number == self._loaded:
            return
        last = number == self._chunks - 1
        self._source.seek(HEADER_BYTES + number * SEALED_BYTES)
        sealed = self._source.read(SEALED_BYTES)
        authenticated = self._header + self._name if last else self._header
        try:
            chunk = self._cipher.decrypt(_nonce(self._prefix, number, last), sealed, authenticated)
        except InvalidTag:
            raise self._broken() from None
        self._chunk, self._loaded = memoryview(chunk), number

    def _broken(self) -> IntegrityError:
        return IntegrityError(
            "A stored file is not what was written, or was encrypted with another key",
            where=self._where,
            remedy="Restore it and the keys folder from backup, or hand the source in again.",
        )


def whole_chunks(source: BinaryIO, key: bytes, name: bytes) -> Iterator[bytes]:
    """The plain chunks of a file that may have been left unfinished, up to the last whole one.

    Each chunk is authenticated, and so is its place; that nothing is missing at the end cannot be told.
    """
    source.seek(0)
    header = source.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        return
    prefix = header[-PREFIX_BYTES:]
    cipher = _cipher(key, header[len(MAGIC) : len(MAGIC) + SALT_BYTES])
    number = 0
    while len(sealed := source.read(SEALED_BYTES)) >= TAG_BYTES:
        try:
            chunk = cipher.decrypt(_nonce(prefix, number, False), sealed, header)
        except InvalidTag:
            try:
                yield cipher.decrypt(_nonce(prefix, number, True), sealed, header + name)
            except InvalidTag:
                return
            return
        yield chunk
        number += 1


def whole_chunks_length(source: BinaryIO, key: bytes, name: bytes) -> tuple[int, int]:
    """How many plain bytes `whole_chunks` gives, and how many bytes of the file they take."""
    lengths = [len(chunk) for chunk in whole_chunks(source, key, name)]
    return sum(lengths), HEADER_BYTES + sum(lengths) + len(lengths) * TAG_BYTES if lengths else 0


def open_encrypted(source: BinaryIO, key: bytes, name: bytes, where: str) -> BinaryIO:
    """The plain bytes behind `source`, buffered and seekable; closing it closes `source`, as does failing.

    `name` is what the file was finished with. Raises IntegrityError where the file is not what was written under it.
    """
    try:
        return cast("BinaryIO", io.BufferedReader(EncryptedReader(source, key, name, where), CHUNK_BYTES))
    except BaseException:
        source.close()
        raise

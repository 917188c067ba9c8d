"""Files that only the holder of a recovery key can open: sealed to its public half, so that who seals cannot read back.

X25519 with a key pair of its own for each run that seals, HKDF-SHA-256, and then the chunked encryption of every stored
file (`encrypted_file`). The name of a file is bound to its end. The private half is a PEM file under a passphrase.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tenant_pipeline.core.errors import InputError, IntegrityError
from tenant_pipeline.storage.encrypted_file import EncryptedWriter, open_encrypted
from tenant_pipeline.storage.private_folder import make_private_folder, sync

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

RECIPIENT = "trb1-"
PUBLIC_BYTES = 32
LEAST_PASSPHRASE = 12
READ_BYTES = 1024 * 1024


def new_recovery_key(path: Path, passphrase: str) -> str:
    """Make a recovery key in a new file, readable by its owner, and return the recipient that files are sealed to.

    Raises InputError where the file is there already, or the passphrase is shorter than twelve characters.
    """
    if len(passphrase) < LEAST_PASSPHRASE:
        raise InputError("The passphrase is too short", where="passphrase", remedy="At least twelve characters.")
    key = X25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError("There is a file already", where=str(path), remedy="Choose another name.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    return RECIPIENT + key.public_key().public_bytes_raw().hex()


class Sealer:
    """Seals files to one `recipient`, in one run."""

    def __init__(self, recipient: str) -> None:
        """Raises InputError for what is no recipient."""
        own = X25519PrivateKey.generate()
        try:
            if not recipient.startswith(RECIPIENT):
                raise ValueError
            other = X25519PublicKey.from_public_bytes(bytes.fromhex(recipient.removeprefix(RECIPIENT)))
            self._key = _shared(own.exchange(other), own.public_key(), other)
            self.recipient = RECIPIENT + other.public_bytes_raw().hex()
        except ValueError:
            raise InputError(
                "That is no recipient", where="--recipient", remedy="`tenant-pipeline backup new-key` prints one."
            ) from None
        self._public = own.public_key().public_bytes_raw()

    @contextmanager
    def file(self, place: Path, name: str, root: Path) -> Iterator[EncryptedWriter]:
        """A sealed file at `place`, which appears whole at the end of the block or not at all."""
        make_private_folder(place.parent, root)
        draft = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(self._public)
                writer = EncryptedWriter(file, self._key)
                yield writer
                writer.finish(name.encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
        sync(place.parent)

    def stream(self, place: Path, name: str, root: Path, source: BinaryIO) -> None:
        """Seal what `source` holds, in bounded memory."""
        with self.file(place, name, root) as writer:
            while data := source.read(READ_BYTES):
                writer.write(data)


class Opener:
    """Opens what was sealed to the recovery key in a file."""

    def __init__(self, key_file: Path, passphrase: str) -> None:
        """Raises InputError where there is no such key, or the passphrase is not its own."""
        try:
            key = load_pem_private_key(key_file.read_bytes(), passphrase.encode())
        except (OSError, ValueError, TypeError):
            key = None
        if not isinstance(key, X25519PrivateKey):
            raise InputError(
                "The recovery key cannot be opened", where=str(key_file), remedy="Check the file and the passphrase."
            )
        self._key = key

    def open(self, place: Path, name: str) -> BinaryIO:
        """The plain bytes. Raises IntegrityError where the file is missing, damaged, or sealed to another key."""
        try:
            file = place.open("rb")
        except FileNotFoundError:
            raise IntegrityError(
                "A file of the backup is missing", where=name, remedy="Fetch it from another copy of the backup."
            ) from None
        public = file.read(PUBLIC_BYTES)
        try:
            sender = X25519PublicKey.from_public_bytes(public)
            key = _shared(self._key.exchange(sender), sender, self._key.public_key())
        except ValueError:
            file.close()
            raise IntegrityError(
                "A file of the backup is damaged", where=name, remedy="Fetch it from another copy of the backup."
            ) from None
        try:
            behind = cast("BinaryIO", io.BufferedReader(_Behind(file), 64 * 1024))
            return open_encrypted(behind, key, name.encode(), name)
        except IntegrityError:
            raise IntegrityError(
                "A file of the backup is damaged, or sealed to another recovery key",
                where=name,
                remedy="Use the recovery key that belongs to the backup's recipient, or another copy of the backup.",
            ) from None


def _shared(secret: bytes, sender: X25519PublicKey, recipient: X25519PublicKey) -> bytes:
    salt = sender.public_bytes_raw() + recipient.public_bytes_raw()
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"tenant runtime backup").derive(secret)


class _Behind(io.RawIOBase):
    """What follows the sender's public key in a sealed file."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset + PUBLIC_BYTES if whence == io.SEEK_SET else offset, whence) - PUBLIC_BYTES

    def tell(self) -> int:
        return self._file.tell() - PUBLIC_BYTES

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        data = self._file.read(len(memoryview(buffer).cast("B")))
        memoryview(buffer).cast("B")[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()

"""Files in the making: written and digested on this machine's disk, and published together when they are whole."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.storage.encrypted_file import EncryptedWriter

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from tenant_pipeline.storage.object_store import Zone


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
        """Let the finished files appear: the last one last, when the others are there for good.

        So a file that names the others, finished after them, is never seen before them, whenever the power fails.
        """
        self._zone.publish(list(self._finished.items()))
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

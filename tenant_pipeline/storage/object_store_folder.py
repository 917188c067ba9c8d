"""Objects as files below one folder of this machine: a name appears by a rename, and is kept by a sync.

Whoever removes a file, and whoever hands it in again, locks it meanwhile; the kernel lets go of the lock with the
process. So what is removed is what was looked at, and a killed removal leaves the file or nothing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tenant_pipeline.storage.private_folder import make_private_folder, sync


class ObjectStore:
    """Files below one folder, a folder a tenant, private to the user that runs the runtime."""

    private = True

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def staging(self) -> Path:
        """Files are made beside their places, so that a rename brings them there."""
        return self.root

    def holds(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return (self.root / name).exists()

    def open(self, name: str) -> BinaryIO:
        """The bytes, seekable. Raises FileNotFoundError."""
        return (self.root / name).open("rb")

    def publish(self, files: Sequence[tuple[str, Path | None]]) -> None:
        """Move files to their places: the last one last, when the others are there for good."""
        *others, last = files
        for folder in {self._move_in(name, file) for name, file in others}:
            sync(folder)
        sync(self._move_in(*last))

    def listed(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Every file below a folder, those in the making too: its name and its size in bytes."""
        for name, about in sorted(self._files(prefix)):
            yield name, about.st_size

    def dated(self, prefix: str) -> Iterator[tuple[str, int, datetime]]:
        """As `listed`, and when each file was last handed in."""
        for name, about in self._files(prefix):
            yield name, about.st_size, datetime.fromtimestamp(about.st_mtime, UTC)

    def renew(self, name: str) -> bool:
        """Let a file count as handed in now; False where there is none, because it was removed this very moment."""
        place = self.root / name
        try:
            with _locked(place):
                os.utime(place)
        except FileNotFoundError:
            return False
        return True

    def remove(self, name: str, before: datetime) -> bool:
        """Delete a file that was last handed in before then; whether it was."""
        place = self.root / name
        try:
            with _locked(place) as about:
                if about.st_mtime >= before.timestamp():
                    return False
                place.unlink()
        except FileNotFoundError:
            return False
        return True

    def delete(self, prefix: str) -> int:
        """Delete a file, or all that lies below a folder; return how many files that were. None there: no error."""
        place = self.root / prefix
        if place.is_file():
            place.unlink()
            return 1
        deleted = sum(1 for _ in self.listed(prefix))
        if place.exists():
            shutil.rmtree(place, onerror=lambda _function, _path, raised: _raise_unless_gone(raised[1]))
        return deleted

    def _files(self, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
        """Every file below a folder; one that others take away meanwhile is there or not."""
        for folder, _, names in os.walk(self.root / prefix, onerror=_raise_unless_gone):
            for path in (Path(folder, name) for name in names):
                with suppress(FileNotFoundError):
                    about = path.stat()
                    if stat.S_ISREG(about.st_mode):
                        yield str(path.relative_to(self.root)), about

    def _move_in(self, name: str, file: Path | None) -> Path:
        place = self.root / name
        make_private_folder(place.parent, self.root)
        if file is not None:
            sync(file)
            try:
                with _locked(place):
                    file.replace(place)
            except FileNotFoundError:  # there is none whose removal could be under way
                file.replace(place)
        return place.parent


def _raise_unless_gone(error: BaseException) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


@contextmanager
def _locked(place: Path) -> Iterator[os.stat_result]:
    """A file as it is, and which nobody else replaces, renews or removes in the block. Raises FileNotFoundError."""
    while True:
        with place.open("r+b") as file:  # over NFS only what can be written to can be locked
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                about = os.fstat(file.fileno())
                if os.path.samestat(about, place.stat()):
                    yield about
                    return
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)  # closing leaves it locked with a process that was forked meanwhile

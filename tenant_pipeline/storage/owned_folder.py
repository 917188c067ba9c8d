"""Folders that belong to a process: locked for as long as it lives, so that others tell what a killed one left behind.

The kernel lets go of the lock however the process ends; the number of a process, which is given to another later, would
tell less.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WORKING = "tenant-runtime-owned-"
"""How the names of all working folders begin."""


@contextmanager
def owned_folder(prefix: str, parent: Path) -> Iterator[Path]:
    """A new private folder in `parent`, which is gone after the block, or with the next one of that prefix where this
    process is killed."""
    clear_abandoned(prefix, parent)
    folder, lock = _new_folder(prefix, parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        os.close(lock)


@contextmanager
def working_folder(kind: str) -> Iterator[Path]:
    """An owned folder among the system's temporary files, for work of that kind."""
    with owned_folder(f"{WORKING}{kind}-", Path(tempfile.gettempdir())) as folder:
        yield folder


def clear_abandoned_work() -> None:
    """Remove the working folders of every kind that killed processes left behind."""
    clear_abandoned(WORKING, Path(tempfile.gettempdir()))


def clear_abandoned(prefix: str, parent: Path) -> None:
    """Remove the folders of that prefix in `parent` whose owner is gone. Those of other users are left alone."""
    for folder, lock in _ours(prefix, parent):
        if _is_free(lock):
            shutil.rmtree(folder, ignore_errors=True)


def owned_folders(prefix: str, parent: Path) -> list[Path]:
    """The folders of that prefix in `parent` whose owner lives, the one last changed first."""
    living = [(os.fstat(lock).st_ctime_ns, folder) for folder, lock in _ours(prefix, parent) if not _is_free(lock)]
    return [folder for _, folder in sorted(living, reverse=True)]


def _new_folder(prefix: str, parent: Path) -> tuple[Path, int]:
    """A folder, and the descriptor that locks it for as long as it is open."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # another process cleared it before it was locked, here or two lines below
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)


def _ours(prefix: str, parent: Path) -> Iterator[tuple[Path, int]]:
    """This user's folders, each with a descriptor that is open until the next is asked for."""
    for folder in parent.glob(f"{prefix}*"):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # gone meanwhile, no folder, or not to be entered by us
            continue
        try:
            if os.fstat(descriptor).st_uid == os.geteuid():
                yield folder, descriptor
        finally:
            os.close(descriptor)


def _is_free(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

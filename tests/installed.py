"""Homes of installations whose database is made and migrated: copies of one that each session of tests makes once.

Making and migrating a cluster takes more than a second of processor time, copying one next to nothing. The copies have
the keys and passwords of the first, so no test may take two of them for installations that know nothing of each other.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER_VARIABLE = "FOLDER_OF_MIGRATED_HOME"
"""Where the one lies that is copied: in the environment, so that all processes of a session share it."""


def share_migrated_home() -> Callable[[], None]:
    """In the process that begins a session of tests: make the folder; returns what takes it away in the end."""
    folder = tempfile.TemporaryDirectory(prefix="tenant-runtime-test-")
    Path(folder.name).chmod(0o755)
    os.environ[FOLDER_VARIABLE] = folder.name
    return folder.cleanup


@contextmanager
def migrated_home() -> Iterator[Path]:
    """A home that the database server's own uid can enter; it is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="tenant-runtime-test-") as folder:
        Path(folder).chmod(0o755)
        yield lay_migrated(Path(folder) / "home")


def lay_migrated(home: Path) -> Path:
    """Make the home with all that is in a new one; return it."""
    subprocess.run(["cp", "-a", _first(), home], check=True)
    return home


def _first() -> Path:
    folder = Path(os.environ[FOLDER_VARIABLE])
    first, unfinished = folder / "home", folder / "unfinished"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not first.exists():
            from tenant_pipeline.services.runtime import open_runtime  # who only hands out the tests does not need it
            from tenant_pipeline.settings import Settings

            shutil.rmtree(unfinished, ignore_errors=True)  # of a process that was killed
            with open_runtime(Settings(home=unfinished)):
                pass
            unfinished.rename(first)
    return first

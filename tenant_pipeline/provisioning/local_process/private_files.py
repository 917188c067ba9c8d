"""Files that appear whole or not at all, read without following links, and a lock that leaves nothing behind."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PRIVATE = 0o600


def write_private(path: Path, content: str, *, owner: int | None = None) -> None:
    """Put `content` in place at once, durably, for its owner alone (mode 0600)."""
    waiting = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, PRIVATE)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        file.flush()
        if owner is not None:
            os.fchown(file.fileno(), owner, -1)
        os.fsync(file.fileno())
    waiting.replace(path)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Put a JSON document in place at once."""
    write_private(path, json.dumps(value, sort_keys=True))


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON document at `path`; None where there is none."""
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return document


def read_small(path: Path, most_bytes: int) -> str | None:
    """The text of a small plain file that somebody else may have put there; None for anything else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > most_bytes:
            return None
        return file.read(most_bytes).decode(errors="replace")


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock at `path`."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock at `path`, waiting for whoever has it; the file is gone again when the block ends."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            if os.stat(path).st_ino == os.fstat(descriptor).st_ino:
                break
        except FileNotFoundError:
            pass
        os.close(descriptor)  # whoever had it has taken the file away: what we hold is no longer the lock
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)

"""Folders that only their owner can enter, and whose entries survive a power failure."""

from __future__ import annotations

import os
from pathlib import Path


def make_private_folder(folder: Path, root: Path) -> None:
    """Make `folder` and what is missing down to it from `root`, each with mode 0700.

    What lies above `root` is not ours: where it is missing it is made with the mode that the umask gives.
    """
    if folder.is_dir():
        return
    if folder == root:
        root.parent.mkdir(parents=True, exist_ok=True)
    else:
        make_private_folder(folder.parent, root)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync(folder.parent)


def sync(path: Path) -> None:
    """Make a file's content or a folder's entries durable: a new name is kept only when its folder was synced."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

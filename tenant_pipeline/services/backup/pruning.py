"""Take old snapshots out of a backup folder, and the objects that no snapshot has any more. Needs no recovery key."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.services.backup.layout import MANIFEST, OBJECTS, BackupFolder, taken_at, writing


def prune_backups(root: Path, keep: timedelta, now: datetime) -> dict[str, Any]:
    """Remove the snapshots taken before `keep` ago, but never the newest, and say what went.

    A snapshot goes at once: its manifest, without which it is none, goes first. An object is as new as the newest
    snapshot that has it, so those that are older than the oldest that stays belong to none. Killed, it is run again.
    Raises NotFoundError for no such folder, InputError for a negative time and as `writing` does.
    """
    if keep < timedelta():
        raise InputError("That is no time to keep backups", where="--keep-days", remedy="Give a number of days.")
    BackupFolder(root).existing()
    with writing(root) as folder:
        snapshots = folder.snapshots()
        going = [each for each in snapshots[:-1] if taken_at(each) < now - keep]
        for identifier in going:
            (folder.snapshot(identifier) / MANIFEST).unlink()
            shutil.rmtree(folder.snapshot(identifier))
        staying = folder.snapshots()
        objects = size = 0
        if staying:
            oldest = min(map(taken_at, staying)).timestamp()
            for path in (root / OBJECTS).rglob("*"):
                if path.is_file() and path.stat().st_mtime < oldest:
                    size += path.stat().st_size
                    objects += 1
                    path.unlink()
    return {"snapshots": going, "kept": staying, "objects": objects, "bytes": size}

"""The log files of processes that know nothing of them: turned over when they grow large, while they are written to.

Each process writes to the end of the file that it was given, so the file is copied and then cut: what is written later
begins anew at its start. A line that comes between the two is lost.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MOST_BYTES = 32 * 1024 * 1024
KEPT = 4
"""So many older files are kept of each: `daemon.log.1` is the newest of them."""


def turn_over(folder: Path, *, most_bytes: int = MOST_BYTES, kept: int = KEPT) -> None:
    """Begin anew each log file of the folder that has grown past `most_bytes`.

    Where there is no room for the copy, what was written so far is given up."""
    for log in folder.glob("*.log"):
        if log.stat().st_size > most_bytes:
            _turn_over(log, kept)


def _turn_over(log: Path, kept: int) -> None:
    for number in range(kept - 1, 0, -1):
        older = _older(log, number)
        if older.exists():
            older.replace(_older(log, number + 1))
    try:
        shutil.copyfile(log, _older(log, 1))
    except OSError:  # without room for the copy the lines of now are worth more than those of before
        _older(log, 1).unlink(missing_ok=True)
    os.truncate(log, 0)


def _older(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")

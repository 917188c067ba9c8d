"""Processes that end with the one that supervises them, also where that is killed outright."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.util import get_temp_dir

import psutil

PR_SET_PDEATHSIG, PR_GET_PDEATHSIG = 1, 2


def die_with_parent() -> None:
    """In the child, before it starts: ask the kernel for SIGTERM when the parent is gone (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def take_children_along() -> None:
    """Let all that this process has begun end with it where its parent is killed and it was to die with it.

    Dagster's server of a code location waits for its runs when it is asked to end; and these wait for the database.
    """
    if _dies_with_parent():
        threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _dies_with_parent() -> bool:
    asked_for = ctypes.c_int(0)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_GET_PDEATHSIG, ctypes.byref(asked_for))
    return bool(asked_for.value)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    shutil.rmtree(get_temp_dir(), ignore_errors=True)  # the socket over which runs were asked for
    os._exit(1)

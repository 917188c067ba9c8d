"""What the garbage collector walks through while code is loaded, and while a great many objects are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading_code() -> Iterator[None]:
    """Within the block, in which code is loaded, the garbage collector rests; afterwards it passes over what came in.

    Modules stay until the process ends. Walking through them again and again is a third of the time that loading takes.
    """
    at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if at_work:
            gc.enable()


@contextmanager
def only_new_objects_collected() -> Iterator[None]:
    """Within the block the garbage collector passes over all that was there before.

    That is mostly the modules of the whole program, a million objects that stay: each full collection walks through
    them, and there is one for every quarter million objects that work makes and holds for a while.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

"""What the garbage collector walks through while a great many objects are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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

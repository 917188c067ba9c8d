"""Wait for what is away (the database, room on its disk), for as long as it is worth it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from tenant_pipeline.core.errors import OutageError
from tenant_pipeline.services.faults import in_our_words

PATIENCE_SECONDS = 900.0
"""So long a run waits, to say what became of its sources: nothing else could begin without it either."""

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 15.0

_log = logging.getLogger(__name__)
_Made = TypeVar("_Made")


def patiently(work: Callable[[], _Made]) -> _Made:
    """Do `work`, again and again while it meets an outage. Raises what it raises otherwise, and in the end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    wait = FIRST_WAIT_SECONDS
    while True:
        try:
            return work()
        except Exception as error:
            told = in_our_words(error, where="", run_id="")
            if not isinstance(told, OutageError) or time.monotonic() > deadline:
                raise
            _log.error("%s: the run waits for it", told.what, extra={"fields": {"code": told.code}})
            time.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

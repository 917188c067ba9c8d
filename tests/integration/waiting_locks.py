"""That one waits for another, for tests of what two do at once."""

from __future__ import annotations

import time

import pytest

from tenant_pipeline.services.runtime import Runtime


def wait_for_a_waiting_lock(runtime: Runtime) -> None:
    """Return as soon as somebody waits for a lock."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with runtime.database.administration() as connection:
            row = connection.execute("SELECT FROM pg_locks WHERE NOT granted").fetchone()
        if row is not None:
            return
        time.sleep(0.05)
    pytest.fail("nobody waited for a lock")

"""What holds for every test."""

from __future__ import annotations

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("whatever the machine is doing", deadline=None)
settings.load_profile("whatever the machine is doing")

LONGEST = ("test_real_sources", "test_going_live", "test_kill_and_run_again", "test_dagster")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that none is begun when all others have ended."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))

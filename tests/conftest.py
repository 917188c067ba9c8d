"""What holds for every test."""

from __future__ import annotations

import atexit
import gc

import pytest
from hypothesis import settings

from tests.installed import share_migrated_home

# All that is loaded until the tests are collected stays: nothing in it is garbage, and walking through it again and
# again is a third of what collecting takes.
gc.disable()
atexit.register(gc.freeze)

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("whatever the machine is doing", deadline=None)
settings.load_profile("whatever the machine is doing")

LONGEST = (
    "system/test_real_sources",
    "system/test_going_live",
    "system/test_dagster",
    "system/test_ended_runs",
    "api/test_workspace",
    "system/test_feeds",
    "integration/test_pentest",
    "integration/test_provisioning_saga",
    "provisioning/test_kubernetes",
    "api/test_openapi",
    "hostile/test_hostile_files",
    "integration/test_saga_on_kubernetes",
    "api/test_workspace_steering",
    "integration/test_shared_data_whole",
    "integration/test_marts",
    "system/test_object_store_faults",
    "system/test_kill_and_run_again",
    "system/test_observability",
    "evaluation/test_evaluate_linking",
    "intake/test_intake",
    "integration/test_backup",
    "integration/test_tenant_states",
    "api/test_killed_server",
    "linking/test_linking_on_spark",
    "intake/test_sandbox",
    "integration/test_every_origin_and_mode",
    "evaluation/test_evaluate_conflicts",
    "pii/test_pii_real_data",
    "deploy/test_containerfile",
)


def pytest_configure(config: pytest.Config) -> None:
    """The processes of a session share one migrated database, of which they take copies."""
    if not hasattr(config, "workerinput"):
        config.add_cleanup(share_migrated_home())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that none is begun when all others have ended."""
    items.sort(key=_place)


def pytest_collection_finish() -> None:
    """From here on there is garbage."""
    gc.freeze()
    gc.enable()


def _place(item: pytest.Item) -> int:
    name = f"{item.path.parent.name}/{item.path.stem}"
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)

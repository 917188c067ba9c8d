"""A run that hangs is found and ended, and nothing stays in its hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.feeds.feeds import get_feed
from tenant_pipeline.services.feeds.versions import versions_of
from tenant_pipeline.services.runtime import Runtime, connect
from tests.system.conftest import Installation, Running, start, stop
from tests.system.dagster_runs import ENDED, runs_of_job
from tests.unit.intake.link_server import Answer, serve

pytestmark = pytest.mark.slow

TENANT = TenantId("stuck-test")
LONG = 400.0
HALLS = b"licence_no,venue_name_en,postcode\nPKT-1,Old hall,83000\nPKT-2,Sea hall,83100\n"
TOO_LARGE = Answer(b"licence_no\n", declared=64 * 1024 * 1024)
NEVER_ENDING = Answer(HALLS * 100, pause=1.0)


def test_a_run_that_hangs_is_ended_and_its_feed_is_asked_again(new_home: Callable[[], Path]) -> None:
    settings = {"TENANT_RUNTIME_LOOPBACK_LINKS": "true", "TENANT_RUNTIME_LONGEST_RUN_SECONDS": "20"}
    installation = Installation(new_home(), settings)
    installation.register(TENANT)
    running = start(installation)
    try:
        with serve() as server, connect(installation.settings) as runtime:
            url = server.answer("/halls.csv", TOO_LARGE, NEVER_ENDING, Answer(HALLS))
            options = ["--tenant", TENANT, "--origin", "regulator", "--title", "Register of halls"]
            feed = installation.json("feed", "add", url, *options)["id"]
            running.wait_for(lambda: _ended(running, "fetch_feed"), seconds=LONG, what="the end of the run that hangs")
            running.wait_for(lambda: _has_version(runtime, feed), seconds=LONG, what="its version, by itself")
            shown = installation.json("feed", "show", feed, "--tenant", TENANT)
            assert (len(shown["versions"]), shown["failures"]) == (1, 0)
    finally:
        stop(running)


def _has_version(runtime: Runtime, feed: str) -> bool:
    with runtime.database.tenant(TENANT) as connection:
        return bool(versions_of(connection, get_feed(connection, TENANT, feed)))


def _ended(running: Running, job: str) -> dict[str, Any] | None:
    return next((run for run in runs_of_job(running, job) if run["status"] in ENDED), None)

"""A run that hangs, or whose process is killed, is found and ended, and nothing stays in its hand."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.system.conftest import Installation, Running, start, stop
from tests.system.dagster_runs import ENDED, runs_of_job
from tests.unit.intake.link_server import Answer, serve

pytestmark = pytest.mark.slow

TENANT = "stuck-test"
LONG = 400.0
HALLS = b"licence_no,venue_name_en,postcode\nPKT-1,Old hall,83000\nPKT-2,Sea hall,83100\n"
TOO_LARGE = Answer(b"licence_no\n", declared=64 * 1024 * 1024)
NEVER_ENDING = Answer(HALLS * 100, pause=1.0)


def test_a_run_that_hangs_is_ended_and_its_feed_is_asked_again(new_home: Callable[[], Path]) -> None:
    settings = {"TENANT_RUNTIME_LOOPBACK_LINKS": "true", "TENANT_RUNTIME_LONGEST_RUN_SECONDS": "10"}
    installation = Installation(new_home(), settings)
    installation.register(TENANT)
    running = start(installation)
    try:
        with serve() as server:
            url = server.answer("/halls.csv", TOO_LARGE, NEVER_ENDING, Answer(HALLS))
            options = ["--tenant", TENANT, "--origin", "regulator", "--title", "Register of halls"]
            feed = installation.json("feed", "add", url, *options)["id"]
            running.wait_for(lambda: _ended(running, "fetch_feed"), seconds=LONG, what="the end of the run that hangs")
            shown = installation.json("feed", "show", feed, "--tenant", TENANT)
            assert (shown["versions"], shown["error"]) == ([], "It was ended while it was asked")
            assert installation.command("feed", "poll", feed, "--tenant", TENANT).strip() == "version"
            audited = installation.command("audit", "verify", "--tenant", TENANT)
            assert "intact" in audited.lower()
    finally:
        stop(running)


def test_a_source_whose_run_is_killed_is_run_again_by_itself(new_home: Callable[[], Path], tmp_path: Path) -> None:
    installation = Installation(new_home())
    installation.register(TENANT)
    file = tmp_path / "halls.csv"
    lines = (f"PKT-{number},Hall {number},{83000 + number % 900}\n" for number in range(20_000))
    file.write_text("licence_no,venue_name_en,postcode\n" + "".join(lines))
    source = installation.add(TENANT, "regulator", "single-file", file)
    running = start(installation)
    try:
        worker = running.wait_for(lambda: _worker(running), seconds=LONG, what="a run's process")
        running.wait_for(
            lambda: installation.json("source", "list", "--tenant", TENANT)[0]["ingest_status"] == "running",
            seconds=LONG,
            what="the source to be on its way",
        )
        worker.send_signal(signal.SIGKILL)
        killed = running.wait_for(
            lambda: _ended(running, "normalise_sources"), seconds=LONG, what="the end of the killed run"
        )
        assert killed["status"] == "FAILURE"
        running.wait_for(
            lambda: installation.json("source", "list", "--tenant", TENANT)[0]["ingest_status"] == "assembled",
            seconds=LONG,
            what="the source to be assembled by another run",
        )
        assert [row["id"] for row in installation.json("source", "list", "--tenant", TENANT)] == [source]
    finally:
        stop(running)


def _ended(running: Running, job: str) -> dict[str, Any] | None:
    return next((run for run in runs_of_job(running, job) if run["status"] in ENDED), None)


def _worker(running: Running) -> psutil.Process | None:
    """The process of a run: a child of the daemon's code server that was started by multiprocessing."""
    children = psutil.Process(running.process.pid).children(recursive=True)
    return next((each for each in children if "spawn_main" in " ".join(each.cmdline())), None)

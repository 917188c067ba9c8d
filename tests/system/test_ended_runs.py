"""Runs that hang or are killed are found and ended; the source that does it is found, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.feeds.feeds import get_feed
from tenant_pipeline.services.feeds.versions import versions_of
from tenant_pipeline.services.observation.figures import read_figures
from tenant_pipeline.services.runtime import Runtime, connect
from tenant_pipeline.services.sources import Source, list_sources
from tests.installed import lay_migrated
from tests.system.conftest import Installation, Running, start, stop
from tests.system.dagster_runs import ENDED, runs_of_job
from tests.unit.intake.link_server import Answer, serve

pytestmark = pytest.mark.slow

TENANT, OTHER = TenantId("stuck-test"), TenantId("bystander")
LONG = 400.0
SILENT_SECONDS = 45
HALLS = b"licence_no,venue_name_en,postcode\nPKT-1,Old hall,83000\nPKT-2,Sea hall,83100\n"
TOO_LARGE = Answer(b"licence_no\n", declared=64 * 1024 * 1024)
NEVER_ENDING = Answer(HALLS * 400, pause=1.0)

# Every process of the installation takes this in as it starts. Who maps the source of that title is killed, as the
# kernel kills for want of memory.
POISON = """
import os, signal, sys, threading, time

def watch():
    while not hasattr(sys.modules.get("tenant_pipeline.services.normalisation"), "_STAGE_FUNCTIONS"):
        time.sleep(0.1)
    from tenant_pipeline.services import normalisation
    functions = normalisation._STAGE_FUNCTIONS
    real = functions["map"]

    def mapped(work):
        if work.source.title == "poison":
            os.kill(os.getpid(), signal.SIGKILL)
        return real(work)

    functions["map"] = mapped

threading.Thread(target=watch, daemon=True).start()
"""


@pytest.fixture(scope="module")
def running(new_home: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    poison = tmp_path_factory.mktemp("poison")
    (poison / "sitecustomize.py").write_text(POISON)
    settings = {
        "TENANT_RUNTIME_LOOPBACK_LINKS": "true",
        "TENANT_RUNTIME_SILENT_RUN_SECONDS": str(SILENT_SECONDS),
        "PYTHONPATH": str(poison),
    }
    installation = Installation(lay_migrated(new_home()), settings)
    for tenant in (TENANT, OTHER):
        installation.register(tenant)
    up = start(installation)
    yield up
    stop(up)


def test_a_run_that_makes_no_progress_is_ended_and_its_feed_is_asked_again(running: Running) -> None:
    installation = running.installation
    with serve() as server, connect(installation.settings) as runtime:
        url = server.answer("/halls.csv", TOO_LARGE, NEVER_ENDING, Answer(HALLS))
        options = ["--tenant", TENANT, "--origin", "regulator", "--title", "Register of halls"]
        feed = installation.json("feed", "add", url, *options)["id"]
        running.wait_for(lambda: _ended(running, "fetch_feed"), seconds=LONG, what="the end of the run that hangs")
        running.wait_for(lambda: _has_version(runtime, feed), seconds=LONG, what="its version, by itself")
        shown = installation.json("feed", "show", feed, "--tenant", TENANT)
        assert (len(shown["versions"]), shown["failures"]) == (1, 0)


def test_of_a_run_that_is_killed_the_source_that_does_it_is_stopped_and_all_others_go_on(
    running: Running, tmp_path: Path
) -> None:
    for tenant, title in ((TENANT, "good"), (TENANT, "poison"), (OTHER, "good")):
        file = tmp_path / f"{tenant}-{title}.csv"
        file.write_text(f"licence_no,venue_name_en,postcode\nK-{tenant},Hall {title},83000\n")
        running.installation.add(tenant, "press", "single-file", file, title=title)
    with connect(running.installation.settings) as runtime:

        def of_title(title: str) -> list[Source]:
            return [each for tenant in (TENANT, OTHER) for each in list_sources(runtime, tenant) if each.title == title]

        (poison,) = running.wait_for(
            lambda: [each for each in of_title("poison") if each.ingest_status == "stopped"],
            seconds=LONG,
            what="the end of the source that has its runs killed",
        )
        running.wait_for(
            lambda: all(each.ingest_status == "assembled" for each in of_title("good")), LONG, "the others to go on"
        )
        failed = sum(
            each.value
            for each in read_figures(runtime)
            if each.name == "tenant_runtime_runs_failed_last_hour"
            and each.labels == {"job": "normalise_sources", "by": "fault"}
        )
        stopped = [each.labels for each in read_figures(runtime) if each.name == "tenant_runtime_sources_stopped"]
    assert poison.hindrance is not None
    assert (poison.hindrance["code"], poison.hindrance["stage"]) == ("process-lost", "screen")
    assert failed >= 3, "together with others, and twice by itself"
    assert {"code": "process-lost"} in stopped
    logs = "".join(path.read_text() for path in (running.installation.home / "logs").glob("*.log"))
    assert "a source was set back" in logs


def _has_version(runtime: Runtime, feed: str) -> bool:
    with runtime.database.tenant(TENANT) as connection:
        return bool(versions_of(connection, get_feed(connection, TENANT, feed)))


def _ended(running: Running, job: str) -> dict[str, Any] | None:
    return next((run for run in runs_of_job(running, job) if run["status"] in ENDED), None)

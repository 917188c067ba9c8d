"""From draft to live, as the people of the pilot live through it: in the demo, and with a running daemon."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.provisioning.backends import local_processes
from tenant_pipeline.services.provisioning.reading import instance_status
from tenant_pipeline.services.runtime import connect
from tests.system.conftest import Installation, Running, start, stop
from tests.system.dagster_runs import last_tick, launch_job, run_failures, runs_of_job, tick_logs

pytestmark = pytest.mark.slow

PILOT = TenantId("phuket-mice")
PROVISIONING, LISTINGS = "provision_tenant", "list_in_marketplace"
SENSOR = f"approvals_of_{PROVISIONING}"


@pytest.fixture(scope="module")
def without_founder(new_home: Callable[[], Path]) -> tuple[Installation, str]:
    """The demo, in which the founder did not sign; and what it said."""
    installation = Installation(new_home())
    return installation, installation.command("demo", "--unsigned", "mali", expect=6)


@pytest.fixture
def running(without_founder: tuple[Installation, str]) -> Iterator[Running]:
    up = start(without_founder[0])
    yield up
    stop(up)


def test_one_missing_signature_stops_the_demo_saying_whose(without_founder: tuple[Installation, str]) -> None:
    installation, said = without_founder
    assert "gate-tenant-instantiate waits for founder" in said
    assert installation.json("tenant", "show", PILOT)["status"] == "review"
    assert not (installation.settings.instances_directory / f"tenant-{PILOT}").exists()


def test_a_sensor_waits_for_the_last_signature_and_fires_once(
    running: Running, without_founder: tuple[Installation, str]
) -> None:
    installation = without_founder[0]
    running.wait_for(
        lambda: any("waits for founder" in line for line in tick_logs(running, SENSOR)), what="the tick's log"
    )
    assert runs_of_job(running, PROVISIONING) == []

    by_hand = launch_job(running, PROVISIONING, PILOT)
    assert by_hand["status"] == "FAILURE"
    assert any("gate-tenant-instantiate waits for founder" in said for said in run_failures(running, by_hand["runId"]))

    (asked,) = installation.json("approval", "list", "--tenant", PILOT, "--person", "mali", "--waiting")
    decision = ["--digest", asked["digest"], "--person", "mali", "--role", "founder", "--tenant", PILOT]
    installation.command("approval", "approve", asked["id"], *decision)

    def provisioned() -> list[dict[str, Any]]:
        return [run for run in runs_of_job(running, PROVISIONING) if run["status"] == "SUCCESS"]

    (run,) = running.wait_for(provisioned, what="the instance")
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert tags["approved_digest"] == asked["digest"]
    assert len(tags["approvals"].split(",")) == 3
    assert installation.json("tenant", "show", PILOT)["status"] == "live"
    assert _answers(installation, "ศูนย์ประชุม") == "1.0.0"

    _kill(running)
    again = start(installation)
    try:
        again.wait_for(lambda: _stands(installation), what="the instance again")
        assert _answers(installation, "Convention Centre") == "1.0.0"
        restarted = last_tick(again, SENSOR)
        again.wait_for(lambda: last_tick(again, SENSOR) > restarted, what="another tick")
        assert len([each for each in runs_of_job(again, PROVISIONING) if each["status"] == "SUCCESS"]) == 1
    finally:
        stop(again)


def test_the_demo_goes_on_where_it_stopped_and_to_the_end(without_founder: tuple[Installation, str]) -> None:
    installation = without_founder[0]
    said = installation.command("demo")
    assert "Nerve 1.0.0: “อ่าวมะขาม” → Makham Bay Convention Centre" in said
    assert "Nerve 1.0.0: “Old Town Assembly” → Old Town Assembly Hall" in said
    assert "Licence register, tier 1" in said
    assert "Nerve 1.1.0: “Surin Beach” → Surin Beach Hall" in said
    assert "Nerve 1.0.0 knows nothing of “Surin Beach”" in said
    assert "The listing told of a release that is no longer live: it is withdrawn." in said
    assert "in one hash chain" in said
    assert "Met: all 12 controls that a machine can check" in said

    history = installation.json("release", "history", "--tenant", PILOT)
    assert [(each["stage"], each["version"]) for each in history if each["stage"] == "published"] == [
        ("published", "1.0.0"), ("published", "1.1.0"), ("published", "1.0.0"),
    ]  # fmt: skip
    differences = installation.json("release", "diff", "1.0.0", "1.1.0", "--tenant", PILOT)
    brought = installation.json("release", "diff", "1.0.0", "--tenant", PILOT)
    assert (brought["from"], brought["to"]) == (None, "1.0.0")
    assert brought["counts"]["entities_added"] == len(brought["entities"]) > 0
    (added,) = differences["entities"]
    assert (added["label"], added["change"]) == ("Surin Beach Hall", "added")
    assert {source for one in added["properties"] for each in one["after"] for source in each["sources"]} == {
        "Partner update"
    }


def test_the_demo_run_again_changes_nothing_and_leaves_no_process(without_founder: tuple[Installation, str]) -> None:
    installation = without_founder[0]
    before = installation.json("release", "history", "--tenant", PILOT)
    assert "Nothing was written" in installation.command("demo")
    assert installation.json("release", "history", "--tenant", PILOT) == before
    assert not [each for each in psutil.process_iter(["environ"]) if _serves(each, installation)]


def test_the_pilot_meets_what_a_machine_can_check_after_marts_were_built_too(
    without_founder: tuple[Installation, str],
) -> None:
    installation = without_founder[0]
    installation.command("marts", "build")
    assert (installation.home / "dbt" / "dbt.log").stat().st_size > 0
    audited = installation.command("compliance", "audit", "--tenant", PILOT, "--person", "anan")
    assert audited.splitlines()[-1].startswith("Met: all 12 controls that a machine can check")


def _stands(installation: Installation) -> bool:
    with connect(installation.settings) as runtime:
        return bool(instance_status(runtime, PILOT, local_processes(runtime))["phase"] == "healthy")


def _answers(installation: Installation, query: str) -> str:
    """The version of the release that the running instance finds something in."""
    with connect(installation.settings) as runtime:
        endpoint = instance_status(runtime, PILOT, local_processes(runtime))["endpoint"]
        token = runtime.database.instance_token(PILOT)
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"{endpoint}/search", params={"q": query}, headers=headers, trust_env=False).json()
    assert answer["results"], json.dumps(answer)
    return str(answer["version"])


def _serves(process: psutil.Process, installation: Installation) -> bool:
    environment = process.info["environ"] or {}
    return str(installation.home) in environment.get("NERVE_DSN_FILE", "")


def _kill(running: Running) -> None:
    """As a machine that loses its power would: nothing is told, nothing is tidied up."""
    parent = psutil.Process(running.process.pid)
    whole = [parent, *parent.children(recursive=True)]
    for process in whole:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(whole, timeout=20)
    running.process.wait()

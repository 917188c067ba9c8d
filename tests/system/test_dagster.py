"""What a data engineer and governance may rely on in Dagster, seen through a running webserver and daemon."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import sources
from tenant_pipeline.services.going_live.releases import request_release
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import connect
from tenant_pipeline.services.sources import Source
from tests.installed import lay_migrated
from tests.integration.conflict_statements import Sources
from tests.integration.releasable import PEOPLE, approve_everything, settle
from tests.system.conftest import Installation, Running, assert_nothing_is_left_after, start, stop
from tests.system.dagster_runs import last_tick, runs_of_job

pytestmark = pytest.mark.slow

TENANT, PUBLISHING, LEFT = TenantId("dagster-test"), TenantId("marts-test"), TenantId("left-test")
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
DOWNSTREAM_OF_THE_PII_GATE = ("map", "standardise", "validate", "link", "assemble", "conflict_matrix", "coverage_score")

LAUNCH = """
mutation ($selector: JobOrPipelineSelector!, $tags: [ExecutionTag!]) {
  launchPipelineExecution(executionParams: {selector: $selector, mode: "default", executionMetadata: {tags: $tags}}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
BACKFILL = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
RUNS = "{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"
MATERIALISATIONS = """
query ($key: AssetKeyInput!, $partitions: [String!]) {
  assetNodeOrError(assetKey: $key) {
    ... on AssetNode {
      assetMaterializations(partitions: $partitions) {
        runId partition metadataEntries {
          label
          ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue } ... on MarkdownMetadataEntry { mdStr }
        }
      }
    }
  }
}
"""
CHECKS = """
query ($key: AssetKeyInput!, $name: String!, $partition: String) {
  assetCheckExecutions(assetKey: $key, checkName: $name, limit: 5, partition: $partition) {
    status partition evaluation { success severity description }
  }
}
"""
MARTS_CHECKS = """
query ($key: AssetKeyInput!) {
  assetCheckExecutions(assetKey: $key, checkName: "not_null_coverage_day", limit: 5) { evaluation { success } }
}
"""


@pytest.fixture(scope="module")
def running(new_home: Callable[[], Path]) -> Iterator[Running]:
    """An installation that is up, with a folder of its own for temporary files, until a test kills it."""
    home = lay_migrated(new_home())
    temporary = home.parent / "t"
    temporary.mkdir()
    up = start(Installation(home, {"TMPDIR": str(temporary)}))
    yield up
    stop(up)


def _runs(running: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = running.graphql(RUNS)["runsOrError"]["results"]
    return found


def _materialisations(running: Running, asset: str, partition: str) -> list[dict[str, Any]]:
    data = running.graphql(MATERIALISATIONS, key={"path": [asset]}, partitions=[partition])
    found: list[dict[str, Any]] = data["assetNodeOrError"]["assetMaterializations"]
    return found


def _told(made: dict[str, Any]) -> dict[str, Any]:
    """What a materialisation tells: texts and numbers by their labels."""
    return {
        each["label"]: each.get("text", each.get("intValue", each.get("mdStr"))) for each in made["metadataEntries"]
    }


def _source(running: Running, source: str) -> Source:
    with connect(running.installation.settings) as runtime:
        return {each.id: each for each in sources.list_sources(runtime, TENANT)}[source]  # type: ignore[index]


def _wait_until(running: Running, source: str, status: str) -> None:
    running.wait_for(lambda: _source(running, source).ingest_status == status, what=f"{source} to be {status}")


def _wait_for_quiet(running: Running) -> None:
    running.wait_for(lambda: all(run["status"] in ENDED for run in _runs(running)), what="all runs to end")


def _wait_for_a_tick(running: Running) -> None:
    before = last_tick(running, "uploads")
    running.wait_for(lambda: last_tick(running, "uploads") > before, what="another tick of the sensor")


def _launch(running: Running, asset: str, partition: str) -> str:
    """Materialise one asset's partition as the UI does, and return how the run ended."""
    selector = {
        "pipelineName": "__ASSET_JOB",
        "repositoryName": "__repository__",
        "repositoryLocationName": "tenant_pipeline.definitions",
        "assetSelection": [{"path": [asset]}],
        "assetCheckSelection": [],
    }
    tags = [{"key": "dagster/partition", "value": partition}]
    launched = running.graphql(LAUNCH, selector=selector, tags=tags)["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["runId"]

    def ended() -> str | None:
        status = {run["runId"]: run["status"] for run in _runs(running)}.get(run_id)
        return status if status in ENDED else None

    outcome: str = running.wait_for(ended, what=f"the run over {asset}")
    return outcome


def _venues(path: Path, count: int, first: int = 0) -> Path:
    rows = [f"Hall {number},โถงที่ {number},{100 + number}" for number in range(first, first + count)]
    path.write_text("\n".join(["name_en,name_th,capacity", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def uploaded(running: Running, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Three good sources and one whose records are nearly all withheld, added while the daemon runs."""
    running.installation.register(TENANT)
    folder = tmp_path_factory.mktemp("uploads")
    added = {
        f"good {number}": running.installation.add(
            TENANT,
            "partner-doc",
            "single-file",
            _venues(folder / f"{number}.csv", 5, number * 10),
            title=f"good {number}",
        )
        for number in range(3)
    }
    added["withheld"] = running.installation.add(
        TENANT, "partner-doc", "single-file", _full_of_ids(folder / "ids.csv"), title="withheld"
    )
    return added


def _full_of_ids(path: Path) -> Path:
    rows = ["delegate,national id"]
    for number in range(20):
        twelve = f"38399{number:07d}"
        total = sum(int(digit) * weight for digit, weight in zip(twelve, range(13, 1, -1), strict=True))
        rows.append(f"Delegate {number},{twelve}{(11 - total % 11) % 10}")
    path.write_text("\n".join(rows) + "\n")
    return path


def test_an_upload_becomes_a_run_by_itself_and_only_once(running: Running, uploaded: dict[str, str]) -> None:
    for name in ("good 0", "good 1", "good 2"):
        _wait_until(running, uploaded[name], "assembled")
    _wait_until(running, uploaded["withheld"], "stopped")
    _wait_for_quiet(running)
    before = len(_runs(running))
    for _ in range(2):  # what the first of them asks for is there when the second begins
        _wait_for_a_tick(running)
    assert len(_runs(running)) == before
    for name in ("good 0", "good 1", "good 2"):
        key = f"{TENANT}|{uploaded[name]}"
        # A run that the withheld source was in as well has let the stages before its gate be reported twice.
        for asset in ("assemble", "coverage_score"):
            assert len(_materialisations(running, asset, key)) == 1, (name, asset)


def test_a_gated_partition_stays_stopped_whatever_run_asks_for_it(running: Running, uploaded: dict[str, str]) -> None:
    _wait_until(running, uploaded["withheld"], "stopped")
    _wait_for_quiet(running)
    key = f"{TENANT}|{uploaded['withheld']}"
    assert _materialisations(running, "screen", key)
    assert _launch(running, "map", key) == "FAILURE"
    assert _launch(running, "assemble", key) == "FAILURE"
    for asset in DOWNSTREAM_OF_THE_PII_GATE:
        assert not _materialisations(running, asset, key), asset


def test_governance_sees_the_verdict_of_each_partition(running: Running, uploaded: dict[str, str]) -> None:
    _wait_until(running, uploaded["withheld"], "stopped")
    _wait_for_quiet(running)
    for name, passed in (("withheld", False), ("good 0", True)):
        key = f"{TENANT}|{uploaded[name]}"
        found = running.graphql(CHECKS, key={"path": ["screen"]}, name="pii_gate", partition=key)[
            "assetCheckExecutions"
        ]
        assert found
        assert found[0]["partition"] == key
        assert found[0]["evaluation"]["success"] is passed, found[0]


def test_a_materialisation_tells_what_it_did(running: Running, uploaded: dict[str, str]) -> None:
    _wait_until(running, uploaded["good 0"], "assembled")
    key = f"{TENANT}|{uploaded['good 0']}"
    before, told, after = (
        _told(_materialisations(running, asset, key)[0]) for asset in ("standardise", "validate", "link")
    )
    assert told["rows_in"] == before["dagster/row_count"] > 0
    assert told["input_digest"] == before["output_digest"]
    assert told["output_digest"] == after["input_digest"]
    passed, rejected, quarantined = (told[name] for name in ("dagster/row_count", "rows_rejected", "rows_quarantined"))
    assert told["rows_in"] == passed + rejected + quarantined
    assert f"| {told['rows_in']} | {passed} | {rejected} | {quarantined} |" in told["conserved"]
    values = [value for number in range(5) for value in (f"Hall {number}", f"โถงที่ {number}", f"{100 + number}")]
    assert any(f"| {value} |" in told["preview"] for value in values)


def test_every_asset_of_a_source_tells_where_it_comes_from(running: Running, uploaded: dict[str, str]) -> None:
    _wait_until(running, uploaded["good 0"], "assembled")
    _wait_for_quiet(running)
    tier = next(each["authority_rank"] for each in running.installation.json("source", "list", "--tenant", TENANT))
    for asset in ("receive", "assemble", "conflict_matrix", "coverage_score"):
        made = _materialisations(running, asset, f"{TENANT}|{uploaded['good 0']}")[0]
        told = _told(made)
        assert (told["origin"], told["unit_mode"]) == ("partner-doc", "single-file"), asset
        assert told["authority_tier"] == tier, asset
        run = next(each for each in _runs(running) if each["runId"] == made["runId"])
        assert {"key": "origin", "value": "partner-doc"} in run["tags"], asset


def test_one_partition_can_be_materialised_again_and_writes_nothing(running: Running, uploaded: dict[str, str]) -> None:
    _wait_until(running, uploaded["good 1"], "assembled")
    _wait_for_quiet(running)
    key = f"{TENANT}|{uploaded['good 1']}"
    before = running.installation.json("stages", "--tenant", TENANT, "--source", uploaded["good 1"])
    assert _launch(running, "map", key) == "SUCCESS"
    assert running.installation.json("stages", "--tenant", TENANT, "--source", uploaded["good 1"]) == before


def test_a_backfill_takes_many_sources_in_one_run(running: Running, uploaded: dict[str, str]) -> None:
    for name in ("good 0", "good 1", "good 2"):
        _wait_until(running, uploaded[name], "assembled")
    _wait_for_quiet(running)
    before = {run["runId"] for run in _runs(running)}
    keys = [f"{TENANT}|{uploaded[name]}" for name in ("good 0", "good 1", "good 2")]
    assets = [{"path": [asset]} for asset in ("map", "standardise", "validate")]
    launched = running.graphql(BACKFILL, params={"assetSelection": assets, "partitionNames": keys})
    assert launched["launchPartitionBackfill"]["__typename"] == "LaunchBackfillSuccess", launched
    made = running.wait_for(
        lambda: [run for run in _runs(running) if run["runId"] not in before and run["status"] in ENDED],
        what="the backfill",
    )
    assert [run["status"] for run in made] == ["SUCCESS"]
    assert all(len(_materialisations(running, "validate", key)) >= 2 for key in keys)


def test_what_the_daemon_publishes_is_in_the_marts_by_itself(running: Running) -> None:
    """A release asks for a build of the marts in their own code location, and dbt's tests are asset checks."""
    installation = running.installation
    installation.register(PUBLISHING)
    with connect(installation.settings) as runtime:
        for person, role in PEOPLE.items():
            grant_role(runtime, PUBLISHING, person=person, role=role, granted_by="test")
        made = Sources(runtime, PUBLISHING)
        made.say(
            1,
            ("name", "en", "Phuket Hall"),
            ("name", "th", "หอประชุมภูเก็ต"),
            ("name", "zh", "普吉會堂"),
            compare=False,
        )
        settle(made)
        request_release(runtime, PUBLISHING, requested_by="kanya")
        approve_everything(runtime, PUBLISHING)

    def built() -> list[dict[str, Any]]:
        return [run for run in runs_of_job(running, "build_marts") if run["status"] == "SUCCESS"]

    assert len(running.wait_for(built, 240, what="the build that the release asks for")) == 1
    (check,) = running.graphql(MARTS_CHECKS, key={"path": ["governance", "coverage"]})["assetCheckExecutions"]
    assert check["evaluation"]["success"] is True
    page = installation.home / "report.html"
    installation.command("report", str(page), "--person", "gov", "--reason", "After a release")
    assert PUBLISHING in page.read_text(encoding="utf-8")


def test_nothing_outlives_a_killed_supervisor_nor_a_run_that_is_under_way(running: Running, tmp_path: Path) -> None:
    """The last of those that use this installation while it runs."""
    running.installation.register(LEFT)
    file = _venues(tmp_path / "many.csv", 20_000, 0)
    running.installation.add(LEFT, "partner-doc", "single-file", file)

    def is_under_way() -> bool:
        with connect(running.installation.settings) as runtime:
            (source,) = sources.list_sources(runtime, LEFT)
        return source.ingest_status == "running"

    running.wait_for(is_under_way, what="a run that is under way")
    processes = psutil.Process(running.process.pid).children(recursive=True)
    assert any("postgres" in process.name() for process in processes)
    assert any("multiprocessing.forkserver" in " ".join(process.cmdline()) for process in processes)
    running.process.kill()
    running.process.wait()
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    assert list(_temporary(running).iterdir()), "the sockets of the code servers"


def test_after_a_kill_it_starts_whole_and_leaves_nothing_behind_when_it_stops(running: Running) -> None:
    assert running.process.poll() is not None, "the test before has killed it"
    again = start(running.installation)
    try:
        assert_nothing_is_left_after(again, signal.SIGTERM)
    finally:
        stop(again)
    assert not list(_temporary(running).iterdir())


def _temporary(running: Running) -> Path:
    return Path(running.installation.further["TMPDIR"])

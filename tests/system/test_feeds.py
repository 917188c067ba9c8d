"""A feed under a running daemon: what is new becomes a run by itself, and what is not becomes none."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.assets.feeds import FETCH_FEED
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.feeds.polling import BRIEFLY, ask_now
from tenant_pipeline.services.knowledge_base import list_statements
from tenant_pipeline.services.runtime import Runtime, connect
from tests.installed import lay_migrated
from tests.system.conftest import Installation, Running, assert_nothing_is_left_after, start, stop
from tests.system.dagster_runs import ENDED, tick_statuses
from tests.unit.intake.link_server import Answer, serve

pytestmark = pytest.mark.slow

TENANT, TROUBLED = TenantId("feed-test"), TenantId("feed-troubled")
HEADER = "licence_no,venue_name_en,postcode\n"
FIRST, SECOND = "PKT-1,Old hall,83000\nPKT-2,Sea hall,83100\n", "PKT-2,Sea hall,83100\nPKT-3,New hall,83110\n"
RUNS = """
query ($tags: [ExecutionTag!]) {
  runsOrError(filter: {tags: $tags}) { ... on Runs { results { runId jobName status } } }
}
"""
VERSIONS = """
query ($key: AssetKeyInput!, $partitions: [String!]) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { assetMaterializations(partitions: $partitions) { partition } } }
}
"""
CHECKS = """
query ($key: AssetKeyInput!) {
  assetCheckExecutions(assetKey: $key, checkName: "feed_is_well", limit: 50) {
    partition status evaluation { success description }
  }
  assetNodeOrError(assetKey: $key) {
    ... on AssetNode {
      assetChecksOrError {
        ... on AssetChecks {
          checks {
            partitionStatuses { ... on AssetCheckDefaultPartitionStatuses { succeededPartitions failedPartitions } }
          }
        }
      }
    }
  }
}
"""
KEY = {"path": ["feed_version"]}


@pytest.fixture(scope="module")
def feeds_up(new_home: Callable[[], Path]) -> Iterator[Running]:
    """An installation that may ask loopback."""
    installation = Installation(lay_migrated(new_home()), {"TENANT_RUNTIME_LOOPBACK_LINKS": "true"})
    for tenant in (TENANT, TROUBLED):
        installation.register(tenant)
    running = start(installation)
    yield running
    stop(running)


def test_what_a_feed_brings_anew_is_in_the_knowledge_base_by_itself(feeds_up: Running) -> None:
    installation = feeds_up.installation
    with serve() as server, connect(installation.settings) as runtime:
        url = server.answer(
            "/register.csv",
            Answer((HEADER + FIRST).encode(), headers={"ETag": '"1"'}),
            *[Answer(status=304)] * 2,
            Answer((HEADER + SECOND).encode(), headers={"ETag": '"2"'}),
            Answer(status=304),
        )
        feed = _add(installation, TENANT, url)
        feeds_up.wait_for(lambda: _names(runtime, feed) == {"Old hall", "Sea hall"}, what="the first version")
        feeds_up.wait_for(lambda: _all_ended(feeds_up), what="the first run")
        for _ in range(2):
            assert installation.command("feed", "poll", feed["id"], "--tenant", TENANT).strip() == "unchanged"
        assert len(_runs(feeds_up)) == 1
        assert installation.command("feed", "poll", feed["id"], "--tenant", TENANT).strip() == "version"
        feeds_up.wait_for(lambda: _names(runtime, feed) == {"Sea hall", "New hall"}, what="the second version")
        feeds_up.wait_for(lambda: _all_ended(feeds_up), what="the second run")
        said = installation.json("statements", "--tenant", TENANT, "--source", feed["source_id"])
        assert {row["value"] for row in said if row["property"] == "name"} == {"Sea hall", "New hall"}
        assert [run["jobName"] for run in _runs(feeds_up)] == ["normalise_sources"] * 2
        assert len(server.asked) == 4
        told = feeds_up.graphql(VERSIONS, key=KEY, partitions=[f"{TENANT}|{feed['id']}"])
        assert len(told["assetNodeOrError"]["assetMaterializations"]) == 1


def test_the_check_of_a_feed_follows_it_and_a_large_feed_is_fetched_beside_it(feeds_up: Running) -> None:
    """Every poll is the daemon's own. The large feed is held, so that its rows need not go through the stages."""
    installation = feeds_up.installation
    line = f"PKT-1,{'Hall' * 250},83000\n"
    with serve() as server, connect(installation.settings) as runtime:
        small = server.answer(
            "/small.csv", Answer((HEADER + FIRST).encode()), Answer(status=503), Answer((HEADER + FIRST).encode())
        )
        large = server.answer("/large.csv", Answer((HEADER + line * (BRIEFLY.max_bytes // 1000)).encode()))
        feed = _add(installation, TROUBLED, small)
        key = f"{TROUBLED}|{feed['id']}"
        verdicts = [True]
        feeds_up.wait_for(lambda: _verdicts(feeds_up, key) == verdicts, what="the first verdict")
        feeds_up.wait_for(lambda: _all_ended(feeds_up, TROUBLED), what="the run over its version")
        big = _add(installation, TROUBLED, large, "--least-rows", "1000000")
        for passed in (False, True):
            ask_now(runtime, TROUBLED, feed["id"])
            verdicts = [passed, *verdicts]
            feeds_up.wait_for(lambda expected=verdicts: _verdicts(feeds_up, key) == expected, what=f"{verdicts}")
            assert (key in _partitions(feeds_up, passed), key in _partitions(feeds_up, not passed)) == (True, False)
        big_key = f"{TROUBLED}|{big['id']}"
        feeds_up.wait_for(lambda: _verdicts(feeds_up, big_key)[:1] == [False], what="the run of its own")
        assert big_key in _partitions(feeds_up, False)
        feeds_up.wait_for(lambda: _all_ended(feeds_up, TROUBLED), what="its end")
        fetched = [run for run in _runs(feeds_up, TROUBLED) if run["jobName"] == FETCH_FEED]
        assert [run["status"] for run in fetched] == ["SUCCESS"]
        decided = ["--person", "rin", "--role", "reviewer", "--reason", "It is whole"]
        installation.command("role", "grant", "--tenant", TROUBLED, "--person", "rin", "--role", "reviewer")
        installation.command("feed", "decide", big["id"], "1", "refuse", "--tenant", TROUBLED, *decided)
        feeds_up.wait_for(lambda: _verdicts(feeds_up, big_key)[0], what="the word of a person")
    assert "FAILURE" not in tick_statuses(feeds_up, "feeds")


def test_nothing_is_left_behind_when_it_stops(feeds_up: Running) -> None:
    """The last of those that use this installation, which has worked by then."""
    assert_nothing_is_left_after(feeds_up, signal.SIGINT)


def _add(installation: Installation, tenant: TenantId, url: str, *further: str) -> dict[str, Any]:
    options = ["--tenant", tenant, "--origin", "regulator", "--title", "Register of halls", *further]
    added: dict[str, Any] = installation.json("feed", "add", url, *options)
    return added


def _verdicts(running: Running, key: str) -> list[bool]:
    """What Dagster says of a feed, the newest first."""
    found = running.graphql(CHECKS, key=KEY)["assetCheckExecutions"]
    return [each["evaluation"]["success"] for each in found if each["partition"] == key and each["evaluation"]]


def _partitions(running: Running, passed: bool) -> list[str]:
    """The feeds that pass the check now, or that fail it."""
    (check,) = running.graphql(CHECKS, key=KEY)["assetNodeOrError"]["assetChecksOrError"]["checks"]
    found: list[str] = check["partitionStatuses"]["succeededPartitions" if passed else "failedPartitions"]
    return found


def _names(runtime: Runtime, feed: dict[str, Any]) -> set[str]:
    source = SourceId(feed["source_id"])
    found = list_statements(runtime, TENANT, source=source, canonical_id=None, property_="name", limit=100)
    return {row["value"] for row in found}


def _runs(running: Running, tenant: TenantId = TENANT) -> list[dict[str, Any]]:
    tags = [{"key": "tenant", "value": tenant}]
    found: list[dict[str, Any]] = running.graphql(RUNS, tags=tags)["runsOrError"]["results"]
    return found


def _all_ended(running: Running, tenant: TenantId = TENANT) -> bool:
    runs = _runs(running, tenant)
    return bool(runs) and all(run["status"] in ENDED for run in runs)

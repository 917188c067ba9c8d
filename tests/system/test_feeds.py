"""A feed under a running daemon: what is new becomes a run by itself, and what is not becomes none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.knowledge_base import list_statements
from tenant_pipeline.services.runtime import Runtime, connect
from tests.system.conftest import Installation, Running, start, stop
from tests.system.dagster_runs import ENDED
from tests.unit.intake.link_server import Answer, serve

pytestmark = pytest.mark.slow

TENANT = TenantId("feed-test")
HEADER = "licence_no,venue_name_en,postcode\n"
FIRST, SECOND = "PKT-1,Old hall,83000\nPKT-2,Sea hall,83100\n", "PKT-2,Sea hall,83100\nPKT-3,New hall,83110\n"
RUNS = "{ runsOrError { ... on Runs { results { runId jobName status } } } }"
VERSIONS = """
query ($key: AssetKeyInput!, $partitions: [String!]) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { assetMaterializations(partitions: $partitions) { partition } } }
  assetCheckExecutions(assetKey: $key, checkName: "feed_is_well", limit: 5) { partition evaluation { success } }
}
"""


def test_what_a_feed_brings_anew_is_in_the_knowledge_base_by_itself(new_home: Callable[[], Path]) -> None:
    installation = Installation(new_home(), {"TENANT_RUNTIME_LOOPBACK_LINKS": "true"})
    installation.register(TENANT)
    running = start(installation)
    try:
        with serve() as server, connect(installation.settings) as runtime:
            url = server.answer(
                "/register.csv",
                Answer((HEADER + FIRST).encode(), headers={"ETag": '"1"'}),
                *[Answer(status=304)] * 2,
                Answer((HEADER + SECOND).encode(), headers={"ETag": '"2"'}),
                Answer(status=304),
            )
            options = ["--tenant", TENANT, "--origin", "regulator", "--title", "Register of halls"]
            feed = installation.json("feed", "add", url, *options)
            running.wait_for(lambda: _names(runtime, feed) == {"Old hall", "Sea hall"}, what="the first version")
            running.wait_for(lambda: _all_ended(running), what="the first run")
            for _ in range(2):
                assert installation.command("feed", "poll", feed["id"], "--tenant", TENANT).strip() == "unchanged"
            assert len(_runs(running)) == 1
            assert installation.command("feed", "poll", feed["id"], "--tenant", TENANT).strip() == "version"
            running.wait_for(lambda: _names(runtime, feed) == {"Sea hall", "New hall"}, what="the second version")
            running.wait_for(lambda: _all_ended(running), what="the second run")
            said = installation.json("statements", "--tenant", TENANT, "--source", feed["source_id"])
            assert {row["value"] for row in said if row["property"] == "name"} == {"Sea hall", "New hall"}
            assert [run["jobName"] for run in _runs(running)] == ["normalise_sources"] * 2
            assert len(server.asked) == 4
            told = running.graphql(VERSIONS, key={"path": ["feed_version"]}, partitions=[f"{TENANT}|{feed['id']}"])
            assert len(told["assetNodeOrError"]["assetMaterializations"]) == 1
            (health,) = told["assetCheckExecutions"]
            assert health["evaluation"]["success"] is True
    finally:
        stop(running)


def _names(runtime: Runtime, feed: dict[str, Any]) -> set[str]:
    source = SourceId(feed["source_id"])
    found = list_statements(runtime, TENANT, source=source, canonical_id=None, property_="name", limit=100)
    return {row["value"] for row in found}


def _runs(running: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = running.graphql(RUNS)["runsOrError"]["results"]
    return found


def _all_ended(running: Running) -> bool:
    runs = _runs(running)
    return bool(runs) and all(run["status"] in ENDED for run in runs)

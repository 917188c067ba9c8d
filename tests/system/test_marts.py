"""The marts' own code location under a running daemon: a release asks for a build, and dbt's tests are asset checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.going_live.releases import request_release
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import connect
from tests.integration.conflict_statements import Sources
from tests.integration.releasable import PEOPLE, approve_everything, settle
from tests.system.conftest import Installation, start, stop
from tests.system.dagster_runs import runs_of_job

pytestmark = pytest.mark.slow

TENANT = TenantId("marts-test")
CHECKS = """
query ($key: AssetKeyInput!) {
  assetCheckExecutions(assetKey: $key, checkName: "not_null_coverage_day", limit: 5) { evaluation { success } }
}
"""


def test_what_the_daemon_publishes_is_in_the_marts_by_itself(new_home: Callable[[], Path]) -> None:
    installation = Installation(new_home())
    installation.register(TENANT)
    running = start(installation)
    try:
        with connect(installation.settings) as runtime:
            for person, role in PEOPLE.items():
                grant_role(runtime, TENANT, person=person, role=role, granted_by="test")
            made = Sources(runtime, TENANT)
            made.say(
                1,
                ("name", "en", "Phuket Hall"),
                ("name", "th", "หอประชุมภูเก็ต"),
                ("name", "zh", "普吉會堂"),
                compare=False,
            )
            settle(made)
            request_release(runtime, TENANT, requested_by="kanya")
            approve_everything(runtime, TENANT)

        def built() -> list[dict[str, Any]]:
            return [run for run in runs_of_job(running, "build_marts") if run["status"] == "SUCCESS"]

        assert len(running.wait_for(built, 240, what="the build that the release asks for")) == 1
        (check,) = running.graphql(CHECKS, key={"path": ["governance", "coverage"]})["assetCheckExecutions"]
        assert check["evaluation"]["success"] is True
        page = installation.home / "report.html"
        installation.command("report", str(page), "--person", "gov", "--reason", "After a release")
        assert TENANT in page.read_text(encoding="utf-8")
    finally:
        stop(running)

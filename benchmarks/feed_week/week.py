"""Real polling and real stages over simulated days: the clock is moved to whatever is due next."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from benchmarks.feed_week.expected import TIMES_A_DAY, Expected, expected_of
from benchmarks.feed_week.plan import answers
from benchmarks.machine import print_found
from benchmarks.measured import ROOT
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.feeds.feeds import Feed, NewFeed, add_feed, get_feed
from tenant_pipeline.services.feeds.polling import Answer, due_feeds, poll_feed
from tenant_pipeline.services.feeds.versions import decide
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.settings import Settings

BEGINS = datetime(2026, 3, 2, tzinfo=UTC)
FEEDS_A_TENANT = len(TIMES_A_DAY)
AT_ONCE = 1000
BARE_REQUESTS = 200


@dataclass
class Week:
    """What was done and seen while the days went by."""

    now: datetime = BEGINS
    answers: Counter[str] = field(default_factory=Counter)
    unchanged_seconds: list[float] = field(default_factory=list)
    stage_runs: int = 0


def simulate(tenants: int, days: int, seed: int = 1) -> dict[str, Any]:
    """Let so many days of feeds of so many tenants go by, and compare every count with what it has to be.

    `differences` is empty when all are right.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tenant-runtime-feeds-") as folder, _served(seed) as url:
        Path(folder).chmod(0o755)
        with open_runtime(Settings(home=Path(folder) / "home", loopback_links=True)) as opened:
            week = Week()
            runtime = replace(opened, clock=lambda: week.now)
            names = [TenantId(f"feeds-{number:03}") for number in range(tenants)]
            feeds = {(tenant, number): _add(runtime, url, tenant, number) for tenant in names for number in _numbers()}
            decisions = {feed.id: (tenant, number) for (tenant, number), feed in feeds.items()}
            _go_by(runtime, week, days, seed, decisions)
            asked = httpx.get(f"{url}/asked", trust_env=False).json()
            bare = _bare(url)
            expected = {key: expected_of(seed, *key, _cron(key[1]), days) for key in feeds}
            differences = [
                difference
                for key, feed in feeds.items()
                for difference in _differences(runtime, feed, key, expected[key], asked)
            ]
            differences += _differences_of_tenants(runtime, names, expected)
    totals = {
        name: sum(len(value) if isinstance(value := getattr(each, name), set) else value for each in expected.values())
        for name in asdict(Expected())
    }
    polls = sorted(week.unchanged_seconds)
    return {
        "tenants": tenants,
        "feeds": len(feeds),
        "days": days,
        "seed": seed,
        "expected": totals,
        "answers": dict(sorted(week.answers.items())),
        "stages_run": week.stage_runs,
        "differences": differences,
        "unchanged_poll_ms": round(1000 * polls[len(polls) // 2], 2) if polls else None,
        "bare_request_ms": round(1000 * bare, 2),
        "ratio": round(polls[len(polls) // 2] / bare, 1) if polls else None,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _numbers() -> range:
    return range(FEEDS_A_TENANT)


def _cron(number: int) -> str:
    return list(TIMES_A_DAY)[number]


@contextmanager
def _served(seed: int) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.feed_week.server", str(seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def _add(runtime: Runtime, url: str, tenant: TenantId, number: int) -> Feed:
    if number == 0:
        name = {"th": "ก", "en": "a", "zh": "普"}
        registry.register_tenant(
            runtime, tenant, name=name, domain="a.example", tier="pilot", actor="week", pdpa_agreement_ref="DPA-1"
        )
        grant_role(runtime, tenant, person="rin", role="reviewer", granted_by="week")
    schedule = Schedule(_cron(number), "Asia/Bangkok")
    wanted = NewFeed(f"Register {number}", f"{url}/{tenant}/{number}", Origin.REGULATOR, schedule)
    return add_feed(runtime, tenant, wanted, actor="week")


def _go_by(runtime: Runtime, week: Week, days: int, seed: int, places: dict[str, tuple[TenantId, int]]) -> None:
    plans = {feed: answers(seed, *place) for feed, place in places.items()}
    ends = BEGINS + timedelta(days=days)
    while True:
        due = due_feeds(runtime, AT_ONCE)
        for tenant, feed in due:
            began = time.perf_counter()
            polled = poll_feed(runtime, tenant, feed)
            week.answers[str(polled.answer)] += 1
            planned = next(plans[feed])
            taken_in = polled.answer is Answer.VERSION
            if polled.answer is Answer.UNCHANGED and planned.kind == "unchanged":
                week.unchanged_seconds.append(time.perf_counter() - began)
            if polled.answer is Answer.HELD and planned.decision and polled.number is not None:
                decided = decide(
                    runtime, tenant, feed, polled.number, planned.decision, person="rin", role="reviewer",
                    reason="It was looked at",
                )  # fmt: skip
                taken_in = decided.taken_in
            if taken_in:
                for stage in STAGES:
                    week.stage_runs += not run_stage(runtime, tenant, polled.feed.source_id, stage).repeated
        if not due:
            following = _next_due(runtime)
            if following >= ends + timedelta(hours=1):
                return
            week.now = max(following, week.now)


def _next_due(runtime: Runtime) -> datetime:
    with runtime.database.platform() as connection:
        row = connection.execute("SELECT min(due_at) AS due FROM runtime.feeds WHERE status = 'active'").fetchone()
    assert row is not None
    due: datetime = row["due"]
    return due


def _bare(url: str) -> float:
    """Seconds of a request that is answered 304, with nothing around it: the median."""
    took = []
    for _ in range(BARE_REQUESTS):
        began = time.perf_counter()
        with httpx.Client(trust_env=False) as client:
            client.get(f"{url}/bare")
        took.append(time.perf_counter() - began)
    return sorted(took)[BARE_REQUESTS // 2]


def _differences(
    runtime: Runtime, feed: Feed, key: tuple[TenantId, int], expected: Expected, asked: dict[str, dict[str, int]]
) -> list[str]:
    tenant, number = key
    seen = asked[f"/{tenant}/{number}"]
    with runtime.database.tenant(tenant) as connection:
        now = get_feed(connection, tenant, feed.id)
        actions = Counter(
            row["action"]
            for row in connection.execute(
                "SELECT action FROM runtime.audit_log WHERE subject = %s OR subject = %s OR starts_with(subject, %s)",
                (feed.id, feed.source_id, f"{feed.source_id}:"),
            )
        )
        said = {
            row["value"]
            for row in connection.execute(
                "SELECT value FROM runtime.statement_facts WHERE source_id = %s AND property = 'name'",
                (feed.source_id,),
            )
        }
        ever = connection.execute(
            "SELECT value FROM runtime.statements WHERE source_id = %s AND property = 'name'", (feed.source_id,)
        ).fetchall()
        row = connection.execute(
            """
            SELECT (SELECT count(*) FROM runtime.feed_versions WHERE feed_id = %(feed)s) AS versions,
                   (SELECT count(*) FROM runtime.feed_versions WHERE feed_id = %(feed)s AND reasons <> '[]') AS held,
                   (SELECT count(*) FROM runtime.feed_decisions WHERE feed_id = %(feed)s) AS decided,
                   (SELECT count(*) FROM runtime.stage_runs WHERE source_id = %(source)s) AS stages,
                   (SELECT version FROM runtime.tenant_sources WHERE id = %(source)s) AS source_version
            """,
            {"feed": feed.id, "source": feed.source_id},
        ).fetchone()
    assert row is not None
    pairs = {
        "requests": (sum(seen.values()), expected.requests),
        "not modified": (sum(count for kind, count in seen.items() if kind.startswith("304")), expected.not_modified),
        "versions": (row["versions"], expected.versions),
        "held": (row["held"], expected.held),
        "decided": (row["decided"], expected.decided),
        "versions of the source": (row["source_version"], expected.taken_in),
        "stage records": (row["stages"], expected.stages),
        "said now": (said, expected.names),
        "ever said": ({each["value"] for each in ever}, expected.ever),
        "retired": (len(ever) - len(said), len(expected.ever) - len(expected.names)),
        "alert": (now.alerted, ""),
        "audit": (
            dict(actions),
            _positive(
                {
                    "feed.add": 1,
                    "feed.version": expected.versions - expected.held,
                    "feed.held": expected.held,
                    "feed.decided": expected.decided,
                    "source.add": 1,
                    "source.renewed": expected.taken_in - 1,
                    "stage.complete": expected.stages,
                }
            ),
        ),
    }
    return [f"{tenant} {number}: {what} {is_} {should}" for what, (is_, should) in pairs.items() if is_ != should]


def _differences_of_tenants(
    runtime: Runtime, tenants: list[TenantId], expected: dict[tuple[TenantId, int], Expected]
) -> list[str]:
    found = []
    for tenant in tenants:
        with runtime.database.administration() as connection:
            report = runtime.audit.verify(connection, tenant)
        with runtime.database.tenant(tenant) as connection:
            foreign = connection.execute(
                "SELECT count(*) AS rows FROM runtime.statements WHERE property = 'name' AND strpos(value, %s) = 0",
                (tenant,),
            ).fetchone()
            measured = connection.execute(
                "SELECT count(*) AS rows FROM runtime.stage_runs WHERE seconds > 0"
            ).fetchone()
        stages = sum(each.stages for (whose, _), each in expected.items() if whose == tenant)
        if not report.intact:
            found.append(f"{tenant}: audit {report.problem}")
        if foreign != {"rows": 0}:
            found.append(f"{tenant}: statements of others {foreign}")
        if measured != {"rows": stages}:
            found.append(f"{tenant}: records with a cost {measured} {stages}")
    return found


def _positive(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def main() -> None:
    """`python -m benchmarks.feed_week [TENANTS [DAYS]]`."""
    tenants, days = (int(value) for value in (*sys.argv[1:], *("50", "7")[len(sys.argv) - 1 :])[:2])
    found = simulate(tenants, days)
    print_found(**found)
    sys.exit(1 if found["differences"] else 0)

"""Many small sources, from upload to assembled: through the daemon, with no orchestrator, by Dagster's defaults.

All three do the same work, the conflict matrix and the coverage score included, in one tenant each. What one more costs
as a tenant grows is measured with no orchestrator: in the tenant of that work, and in the one that the daemon filled.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.scale.dagster_defaults import DEFAULTS
from benchmarks.scale.installation import add_halls, new_home, register
from benchmarks.scale.part import at_least, at_most, curve
from benchmarks.scale.running import Running, up, wait_until
from benchmarks.scale.without_orchestrator import ASSETS, run_source
from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.cli.dagster_environment import dagster_environment
from tenant_pipeline.cli.dagster_run import dagster_instance
from tenant_pipeline.core.tenancy import TenantId, partition_key
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.settings import Settings

BY_DAEMON, IN_PROCESS, BY_DEFAULTS = (TenantId(f"scale-{name}") for name in ("daemon", "in-process", "defaults"))
SECONDS_A_SOURCE = 20
"""A run that takes longer than so many seconds for each source has failed."""
EARLY = slice(5, 15)
"""The sources whose median is what one costs at 10."""
ONE_MORE = 25
"""So many sources are added to the tenant that the daemon filled; their median is what one costs there."""
POINTS = 40


def measure(sources: int, in_process: int, sample: int) -> dict[str, Any]:
    """Bring `sources` through the daemon, `in_process` with no orchestrator, `sample` through Dagster's defaults."""
    with new_home() as home, tempfile.TemporaryDirectory() as files:
        with up(home) as running:
            by_daemon, finished = _by_daemon(running, sources, Path(files))
            runs = _runs(running)
        with open_runtime(Settings(home=home)) as runtime:
            register(runtime, IN_PROCESS)
            alone, costs = _in_process(runtime, IN_PROCESS, range(in_process), Path(files))
            _, further = _in_process(runtime, BY_DAEMON, range(sources, sources + ONE_MORE), Path(files))
            by_defaults = _by_defaults(runtime, sample, Path(files))
    early, late = (statistics.median(each.total() for each in part) for part in (costs[EARLY], further))
    grown = [*_thinned(costs), (float(sources), round(1000 * late, 1))]
    return {
        "sources": sources,
        "by_daemon_seconds": round(by_daemon, 2),
        "by_daemon_runs": runs,
        "by_daemon_seconds_a_source": round(by_daemon / sources, 4),
        "in_process_seconds_a_source": round(alone, 4),
        "by_defaults_seconds_a_source": round(by_defaults, 2),
        "seconds_of_one_at_10": round(early, 4),
        "seconds_of_one_at_the_end": round(late, 4),
        "milliseconds_a_stage_at_10": _by_stage(costs[EARLY]),
        "milliseconds_a_stage_at_the_end": _by_stage(further),
        "targets": [
            at_most("a source through the daemon, to one with no orchestrator", by_daemon / sources / alone, 1.5),
            at_least("Dagster's defaults, to the daemon", by_defaults * sources / by_daemon, 20),
            at_most(f"one more source at {sources}, to one at 10", late / early, 1.3),
        ],
        "curves": [
            curve("Sources assembled through the daemon", "seconds", "sources", {"assembled": finished}),
            curve("One more source, with no orchestrator", "sources in the tenant", "ms", {"all": grown}),
            curve(
                "Where the time of a source goes", "stage", "ms",
                {"at 10": list(_by_stage(costs[EARLY]).items()), "at the end": list(_by_stage(further).items())},
                kind="bar",
            ),
        ],
        "notes": [
            "The daemon does one run of a tenant at a time; with no Dagster it is one process, as a script would be.",
            f"Dagster's defaults: {sample} sources, a run each, all at once, each step in a process of its own.",
        ],
    }  # fmt: skip


def _by_daemon(running: Running, sources: int, files: Path) -> tuple[float, list[tuple[float, float]]]:
    """The seconds from the first upload until the last source has its coverage score; how many had, by the second."""
    runtime = running.runtime
    register(runtime, BY_DAEMON)
    finished: list[tuple[float, float]] = [(0.0, 0.0)]
    started = time.perf_counter()
    for number in range(sources):
        add_halls(runtime, BY_DAEMON, number, files)

    def done() -> bool:
        with runtime.database.tenant(BY_DAEMON) as connection:
            row = connection.execute(
                "SELECT count(*) FILTER (WHERE ingest_status = 'assembled' AND coverage_score IS NOT NULL) AS done,"
                " count(*) FILTER (WHERE ingest_status = 'stopped') AS stopped"
                " FROM runtime.tenant_sources WHERE tenant_id = %s",
                (BY_DAEMON,),
            ).fetchone() or {"done": 0, "stopped": 0}
        if row["stopped"]:
            raise RuntimeError(f"{row['stopped']} sources are stopped")
        finished.append((round(time.perf_counter() - started, 2), row["done"]))
        return bool(row["done"] == sources)

    wait_until(done, SECONDS_A_SOURCE * sources + 120, pause=0.5)
    seconds = time.perf_counter() - started
    step = max(1, len(finished) // POINTS)
    return seconds, [*finished[:-1:step], finished[-1]]


def _runs(running: Running) -> int:
    return len(running.graphql("{ runsOrError { ... on Runs { results { runId } } } }")["runsOrError"]["results"])


def _in_process(
    runtime: Runtime, tenant: TenantId, numbers: Sequence[int], files: Path
) -> tuple[float, list[Counter[str]]]:
    """The seconds a source from its upload on, and what each one took, by stage."""
    started = time.perf_counter()
    added = [add_halls(runtime, tenant, number, files) for number in numbers]
    costs = [run_source(runtime, source) for source in added]
    return (time.perf_counter() - started) / len(numbers), costs


def _by_defaults(runtime: Runtime, sample: int, files: Path) -> float:
    """Seconds a source when each is a run of its own, and each of its steps a process, all begun at once."""
    register(runtime, BY_DEFAULTS)
    added = [add_halls(runtime, BY_DEFAULTS, number, files) for number in range(sample)]
    with dagster_instance(runtime) as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, [partition_key(each.tenant, each.id) for each in added])
    environment = {**os.environ, **dagster_environment(runtime)}
    environment.pop("DAGSTER_EVENT_BATCH_SIZE")
    started = time.perf_counter()
    runs = [_run_of_its_own(environment, source) for source in added]
    try:
        if failed := [run.args for run in runs if run.wait()]:
            raise RuntimeError(f"{len(failed)} of {sample} runs failed")
    finally:
        for run in runs:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)  # with the processes of its steps
                run.wait()
    return (time.perf_counter() - started) / sample


def _run_of_its_own(environment: dict[str, str], source: Source) -> subprocess.Popen[bytes]:
    tags = json.dumps({"dagster/partition": partition_key(source.tenant, source.id)})
    command = [sys.executable, "-m", "dagster", "job", "execute", "-m", "benchmarks.scale.dagster_defaults"]
    return subprocess.Popen(
        [*command, "-j", DEFAULTS, "--tags", tags],
        start_new_session=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _by_stage(costs: list[Counter[str]]) -> dict[str, float]:
    return {stage: round(1000 * statistics.median(each[stage] for each in costs), 1) for stage in ASSETS}


def _thinned(costs: list[Counter[str]]) -> list[tuple[float, float]]:
    """What a source took, in milliseconds, as the median of neighbours: at most POINTS points."""
    step = max(1, len(costs) // POINTS)
    return [
        (first + step, round(1000 * statistics.median(each.total() for each in costs[first : first + step]), 1))
        for first in range(0, len(costs), step)
    ]

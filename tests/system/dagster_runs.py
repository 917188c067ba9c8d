"""What Dagster tells over GraphQL of runs of the jobs for a tenant, and of sensors' ticks."""

from __future__ import annotations

from typing import Any

from tests.system.conftest import Running

REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "tenant_pipeline.definitions"}
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
_LAUNCH = """
mutation ($selector: JobOrPipelineSelector!, $tags: [ExecutionTag!]) {
  launchPipelineExecution(executionParams: {selector: $selector, mode: "default", executionMetadata: {tags: $tags}}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
_RUNS = """
query ($filter: RunsFilter!) {
  runsOrError(filter: $filter) { ... on Runs { results { runId status tags { key value } } } }
}
"""
_FAILURES = """
query ($run: ID!) {
  logsForRun(runId: $run) {
    ... on EventConnection {
      events { ... on ExecutionStepFailureEvent { failureMetadata { description } error { message } } }
    }
  }
}
"""
_TICKS = """
query ($selector: SensorSelector!) {
  sensorOrError(sensorSelector: $selector) {
    ... on Sensor { sensorState { ticks(limit: 20) { timestamp status logEvents { events { message } } } } }
  }
}
"""


def launch_job(running: Running, job: str, partition: str) -> dict[str, Any]:
    """Run a job over a partition as the UI does, and return the run when it has ended."""
    launched = running.graphql(
        _LAUNCH,
        selector={"pipelineName": job, **REPOSITORY},
        tags=[{"key": "dagster/partition", "value": partition}],
    )["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["runId"]

    def ended() -> dict[str, Any] | None:
        return next(
            (run for run in runs_of_job(running, job) if run["runId"] == run_id and run["status"] in ENDED), None
        )

    found: dict[str, Any] = running.wait_for(ended, what=f"the run of {job}")
    return found


def runs_of_job(running: Running, job: str) -> list[dict[str, Any]]:
    """Every run of the job, the newest first."""
    found: list[dict[str, Any]] = running.graphql(_RUNS, filter={"pipelineName": job})["runsOrError"]["results"]
    return found


def run_failures(running: Running, run: str) -> list[str]:
    """What the steps of a run that failed say."""
    events = running.graphql(_FAILURES, run=run)["logsForRun"]["events"]
    return [
        f"{(event.get('failureMetadata') or {}).get('description')} {(event.get('error') or {}).get('message')}"
        for event in events
        if event.get("error") or event.get("failureMetadata")
    ]


def tick_logs(running: Running, sensor: str) -> list[str]:
    """The lines that a sensor's last ticks wrote into their logs."""
    return [
        event["message"]
        for tick in _ticks(running, sensor)
        for event in (tick["logEvents"] or {"events": []})["events"]
    ]


def tick_statuses(running: Running, sensor: str) -> list[str]:
    """How a sensor's last ticks ended."""
    return [tick["status"] for tick in _ticks(running, sensor)]


def last_tick(running: Running, sensor: str) -> float:
    """When a sensor ticked last, in seconds since 1970; 0 where it never has."""
    return max((float(tick["timestamp"]) for tick in _ticks(running, sensor)), default=0.0)


def _ticks(running: Running, sensor: str) -> list[dict[str, Any]]:
    data = running.graphql(_TICKS, selector={"sensorName": sensor, **REPOSITORY})["sensorOrError"]
    found: list[dict[str, Any]] = data["sensorState"]["ticks"]
    return found

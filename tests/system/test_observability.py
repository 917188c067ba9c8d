"""One upload through the API and its run, watched from outside: logs, metrics, spans and health say what happened, each
connected with the others, and none of them repeats a value or a secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.services.observation.figures import FIGURES
from tests.installed import lay_migrated
from tests.system.conftest import Installation, Running, start, stop
from tests.system.trace_receiver import Span, TraceReceiver

pytestmark = pytest.mark.slow

TENANT = "watched-hall"
TOKEN = "canary-of-the-metrics-token-0123456789"
PHONE, EMAIL = "081-234-5678", "somchai.canary@example.com"
TITLE, SECRET = "canary-in-the-title", "canary-in-a-query"
ROWS = [f"Harmless hall {number},,Phuket" for number in range(40)]
CONTENT = "\n".join(["venue,contact phone,town", f"Laguna Hall,{PHONE},{EMAIL}", *ROWS]).encode()
TUS = {"Tus-Resumable": "1.0.0"}


@dataclass(frozen=True)
class Watched:
    """An installation after one upload and its run, and what was seen of it."""

    running: Running
    receiver: TraceReceiver
    source: str
    token: str
    upload_request: str

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.running.workspace,
            headers={"Authorization": f"Bearer {self.token}"},
            trust_env=False,
            timeout=60,
        )


@pytest.fixture(scope="module")
def watched(new_home: Callable[[], Path]) -> Iterator[Watched]:
    with ExitStack() as stack:
        receiver = stack.enter_context(TraceReceiver())
        installation = Installation(
            lay_migrated(new_home()),
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_BSP_SCHEDULE_DELAY": "300",
                "TENANT_RUNTIME_METRICS_TOKEN": TOKEN,
            },
        )
        running = start(installation)
        stack.callback(stop, running)
        installation.register(TENANT)
        installation.command("role", "grant", "--tenant", TENANT, "--person", "kanya", "--role", "contributor")
        token = installation.command("token", "kanya", "--tenant", TENANT).strip()
        place = f"/api/tenant/{TENANT}"
        with httpx.Client(
            base_url=running.workspace, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60
        ) as client:
            _until(running, lambda: _is_ready(client), "readiness")
            name = base64.b64encode(f"{EMAIL}.csv".encode()).decode()
            begun = client.post(
                f"{place}/uploads",
                headers={**TUS, "Upload-Length": str(len(CONTENT)), "Upload-Metadata": f"relativePath {name}"},
            )
            sent = client.patch(
                begun.headers["location"],
                headers={**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
                content=CONTENT,
            )
            assert sent.status_code == 204
            upload = begun.headers["location"].rpartition("/")[2]
            body = {"origin": "partner-doc", "unit_mode": "single-file", "title": TITLE, "uploads": [upload]}
            added = client.post(f"{place}/source/upload", json=body)
            assert added.status_code == 201, added.text
            source = added.json()["id"]
            client.post(f"{place}/source/upload", json={**body, "origin": PHONE, "title": SECRET})
            client.get(f"{place}/sources?{SECRET}={PHONE}", headers={"Authorization": f"Bearer {SECRET}.{EMAIL}"})
            client.get(f"/api/{EMAIL}")

            def ended() -> bool:
                found = {each["id"]: each for each in client.get(f"{place}/sources").json()["sources"]}
                return found[source]["coverage_score"] is not None or found[source]["ingest_status"] == "stopped"

            _until(running, ended, "the source to be assembled")
        yield Watched(running, receiver, source, token, added.headers["x-request-id"])


def _until(running: Running, condition: Callable[[], Any], what: str) -> Any:
    return running.wait_for(condition, 240, what)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/api/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _stages(watched: Watched) -> list[Span]:
    return [
        each for each in watched.receiver.named("stage") if each.attributes["tenant_runtime.source"] == watched.source
    ]


def _logs(watched: Watched) -> dict[Path, str]:
    home = watched.running.installation.home
    places = [*(home / "logs").glob("*.log"), *(home / "dagster").rglob("*.err"), *(home / "dagster").rglob("*.out")]
    return {path: path.read_text() for path in places}


def _lines(watched: Watched) -> list[dict[str, Any]]:
    found = []
    for text in _logs(watched).values():
        for line in text.splitlines():
            if line.startswith('{"at"'):
                found.append(json.loads(line))
    return found


def test_the_spans_of_an_upload_and_of_its_run_are_connected(watched: Watched) -> None:
    names = {str(stage) for stage in STAGES} | {"conflict_matrix", "coverage_score"}
    _until(
        watched.running,
        lambda: (
            {each.attributes["tenant_runtime.stage"] for each in _stages(watched)} == names
            and watched.receiver.named("dagster run")
        ),
        "the spans of the stages",
    )
    (added,) = watched.receiver.named("source.add")
    request = watched.receiver.one(added.parent)
    assert request is not None
    assert request.attributes["http.route"] == "/api/tenant/{tenant}/source/upload"
    assert request.attributes["http.request.id"] == watched.upload_request
    for stage in _stages(watched):
        assert stage.attributes["tenant_runtime.tenant"] == TENANT
        assert (added.trace, added.id) in stage.links
        step = watched.receiver.one(stage.parent)
        assert step is not None
        assert step.name == "dagster step"
        run = watched.receiver.one(step.parent)
        assert run is not None
        assert run.name == "dagster run"
        assert run.attributes["dagster.run_id"] == stage.attributes["dagster.run_id"]


def test_the_log_says_of_each_stage_whose_it_is_and_leads_to_its_trace(watched: Watched) -> None:
    lines = _lines(watched)
    ended = [each for each in lines if each["message"] == "stage ended" and each["source"] == watched.source]
    assert {str(stage) for stage in STAGES} <= {each["stage"] for each in ended}
    assert all(each["tenant"] == TENANT and each["run_id"] and each["process"] == "dagster" for each in ended)
    assert {each["trace_id"] for each in ended} == {each.trace for each in _stages(watched)}
    (request,) = [each for each in lines if each.get("request_id") == watched.upload_request and "route" in each]
    assert (request["status"], request["tenant"], request["process"]) == (201, TENANT, "api")
    assert request["trace_id"] == watched.receiver.named("source.add")[0].trace


def test_neither_log_nor_metric_nor_span_repeats_a_value_or_a_secret(watched: Watched) -> None:
    with watched.client() as client:
        metrics = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    seen = {str(path): text for path, text in _logs(watched).items()}
    seen["metrics"] = metrics.text
    seen["spans"] = b"".join(watched.receiver.bodies).decode("utf-8", "replace")
    assert all(name in "".join(seen) for name in ("workspace.log", "daemon.log", "metrics", "spans"))
    for canary in (PHONE, EMAIL, TITLE, SECRET, TOKEN, watched.token, "Laguna Hall", "kanya"):
        assert [place for place, text in seen.items() if canary in text] == []


def test_metrics_are_told_to_who_shows_the_token_and_to_nobody_else(watched: Watched) -> None:
    with watched.client() as client:
        assert client.get("/metrics").status_code == 404
        assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 404
        text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    told = {family.name: family for family in text_string_to_metric_families(text)}
    assert FIGURES.keys() <= told.keys()

    def value(name: str, **labels: str) -> float:
        return sum(
            sample.value
            for family in told.values()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    assert value("tenant_runtime_figures_read") == 1
    assert value("tenant_runtime_sources", status="assembled", tier="pilot") == 1
    assert value("tenant_runtime_stage_runs_last_hour", stage="screen") == 1
    assert value("tenant_runtime_stage_rows_last_hour", stage="extract", rows="out") > 0
    assert value("tenant_runtime_wake_up_listeners") == 1
    upload = {"route": "/api/tenant/{tenant}/source/upload", "method": "POST"}
    assert value("tenant_runtime_http_requests_total", status="201", **upload) == 1
    assert value("tenant_runtime_http_requests_total", status="422", **upload) == 1
    assert value("tenant_runtime_daemon_heartbeat_age_seconds", part="SENSOR") < 180
    assert not told["tenant_runtime_tenant_waiting_sources"].samples


def test_the_installation_and_its_daemon_say_that_they_are_ready(watched: Watched) -> None:
    with watched.client() as client:
        assert client.get("/api/healthz").json() == {"status": "ok"}
    assert "ready" in watched.running.installation.command("health", "daemon")

"""Traces are off by default; where the collector is away, the work goes on and one line of the log says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

WORK = """
import sys, time
from tenant_pipeline.telemetry.logs import log_to
from tenant_pipeline.telemetry.traces import span, traced, traceparent

class NoTerminal:
    def write(self, text): return sys.stderr.write(text)
    def flush(self): sys.stderr.flush()
    def isatty(self): return False

log_to(NoTerminal(), "test")

@traced("source.add")
def add(tenant, source_id):
    return traceparent()

for number in range(3):
    with span("outer", {"tenant": "harbour"}):
        found = add("harbour", "src-1")
    time.sleep(float(sys.argv[1]))
print(repr(found), "opentelemetry" in sys.modules)
"""


def _run(pause: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-c", WORK, pause],
        env={**clean, **environment},
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


def test_without_a_collector_nothing_of_opentelemetry_is_even_loaded() -> None:
    assert _run("0").stdout.split() == ["''", "False"]
    off = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}
    assert _run("0", **off).stdout.split() == ["''", "False"]


def test_a_collector_that_is_away_costs_one_line_of_the_log() -> None:
    done = _run(
        "2",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_BSP_SCHEDULE_DELAY="50",
        OTEL_EXPORTER_OTLP_TIMEOUT="1",
    )
    found, loaded = done.stdout.split()
    assert found.startswith("'00-")
    assert loaded == "True"
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["message"] for line in lines] == ["the trace collector takes no spans: they are lost until it does"]

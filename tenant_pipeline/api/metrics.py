"""What this server process counts, and `/metrics`, which tells it together with the figures of the whole installation.

Only who shows the token of the settings is told; without a token there, there is no such page. Several processes of one
server keep their counts in files side by side, so that whichever is asked tells those of all.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator, Mapping

import psutil
from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from tenant_pipeline.api.problems import ProblemError
from tenant_pipeline.services.observation.figures import FIGURES, Figure

router = APIRouter(include_in_schema=False)

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_registry = CollectorRegistry()

REQUESTS = Counter(
    "tenant_runtime_http_requests", "Requests that were answered.", ("method", "route", "status"), registry=_registry
)
REQUEST_SECONDS = Histogram(
    "tenant_runtime_http_request_seconds", "Seconds to the end of the answer.", ("route",), buckets=BUCKETS,
    registry=_registry,
)  # fmt: skip
OPEN_DOCUMENTS = Gauge(
    "tenant_runtime_open_documents", "Tenants whose shared document is open.", registry=_registry,
    multiprocess_mode="livesum",
)  # fmt: skip
DOCUMENT_CLIENTS = Gauge(
    "tenant_runtime_document_clients", "Windows that have a shared document open.", registry=_registry,
    multiprocess_mode="livesum",
)  # fmt: skip
DOCUMENT_UPDATES = Counter(
    "tenant_runtime_document_updates", "Edits of shared documents: kept or refused.", ("outcome",), registry=_registry
)
EVENT_STREAMS = Gauge(
    "tenant_runtime_event_streams", "Live logs that somebody listens to.", registry=_registry,
    multiprocess_mode="livesum",
)  # fmt: skip
LISTENING = Gauge(
    "tenant_runtime_wake_up_listeners", "Server processes that hear what the database notifies.", registry=_registry,
    multiprocess_mode="livesum",
)  # fmt: skip

NO_ROUTE = "none"
"""The route of what is not there: an address that anybody can make up is no label."""

STREAMS = ("/api/tenant/{tenant}/events",)
"""Routes that last as long as somebody listens: how long says nothing."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request that was answered, by the template of its route."""
    method = method if method in _METHODS else "other"
    REQUESTS.labels(method, route or NO_ROUTE, str(status)).inc()
    if route not in STREAMS:
        REQUEST_SECONDS.labels(route or NO_ROUTE).observe(seconds)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Every metric in the exposition format of Prometheus. Raises a problem 404 without the token."""
    token = request.app.state.runtime.settings.metrics_token
    shown = request.headers.get("authorization", "")
    wanted = f"Bearer {token.get_secret_value()}" if token and token.get_secret_value() else ""
    if not wanted or not hmac.compare_digest(shown.encode(), wanted.encode()):
        raise ProblemError(404, "http-404", "Not Found")
    return Response(exposition(request.app.state.figures.read()), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def exposition(figures: list[Figure]) -> bytes:
    """What is counted here, and the figures, as text."""
    registry = _registry
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        _forget_the_dead(folder)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    told = CollectorRegistry()
    told.register(_Told(figures))
    return generate_latest(registry) + generate_latest(told)


def forget_this_process() -> None:
    """This process ends: what it has open is not counted any more."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        mark_process_dead(os.getpid(), folder)  # type: ignore[no-untyped-call]


def _forget_the_dead(folder: str) -> None:
    """What processes had open that were killed."""
    for name in os.listdir(folder):
        pid = name.rpartition("_")[2].removesuffix(".db")
        if name.startswith("gauge_live") and pid.isdigit() and not psutil.pid_exists(int(pid)):
            mark_process_dead(int(pid), folder)  # type: ignore[no-untyped-call]


class _Told(Collector):
    """The figures as metrics. One without a value is told all the same: that there is such a metric."""

    def __init__(self, figures: list[Figure]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Each figure with all of its values."""
        values: Mapping[str, list[Figure]] = {name: [] for name in FIGURES}
        for each in self._figures:
            values[each.name].append(each)
        for name, (says, labels) in FIGURES.items():
            family = GaugeMetricFamily(name, says, labels=labels)
            for each in values[name]:
                family.add_metric([each.labels[label] for label in labels], each.value)
            yield family

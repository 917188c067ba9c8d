"""Traces by OpenTelemetry: off unless its standard variables name a collector, and then never in anybody's way.

A span has a name of ours, the fields that its work is about, and of an error its code or type. A message is no part of
it: see `logs`. OpenTelemetry is not even loaded where it is off.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.telemetry.about import Field, about

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
LAST_SECONDS = 2.0
"""How long a process that ends waits for its last spans to be taken."""

_FIELDS = {
    "tenant": "tenant_runtime.tenant",
    "source": "tenant_runtime.source",
    "stage": "tenant_runtime.stage",
    "feed": "tenant_runtime.feed",
    "step": "tenant_runtime.step",
    "run_id": "dagster.run_id",
    "asset": "dagster.asset",
    "request_id": "http.request.id",
}
_ARGUMENTS: Mapping[str, Field] = {
    "tenant": "tenant", "source_id": "source", "stage": "stage", "run_id": "run_id", "feed_id": "feed",
}  # fmt: skip
_P = ParamSpec("_P")
_T = TypeVar("_T")


def traces_are_on() -> bool:
    """Whether the environment names a collector, and does not switch OpenTelemetry off."""
    return os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true" and any(map(os.environ.get, ENDPOINTS))


@contextmanager
def span(
    name: str,
    fields: Mapping[Field, str] | None = None,
    *,
    parent: Mapping[str, str] | None = None,
    attributes: Mapping[str, str | int | float] | None = None,
) -> Iterator[Callable[[str, str | int | float], None]]:
    """A span over the block, with what it is about; the block is given what sets further attributes.

    `parent` are a request's headers, which may carry the caller's own span (W3C `traceparent`).
    """
    with about(fields or {}):
        if not traces_are_on():
            yield _unheard
            return
        with _started(name, fields or {}, parent, attributes or {}) as started:
            yield started.set_attribute


def traced(name: str, *, stage: str = "") -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """A span over each call of a function, about the arguments that name a tenant, source, stage, run or feed."""

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T]:
        parameters = signature(function)

        @wraps(function)
        def called(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            given = parameters.bind(*args, **kwargs).arguments
            fields: dict[Field, str] = {"stage": stage}
            fields.update(
                {_ARGUMENTS[each]: str(value) for each, value in given.items() if each in _ARGUMENTS and value}
            )
            with span(name, fields):
                return function(*args, **kwargs)

        return called

    return decorate


def caused_by(link: str) -> None:
    """Have the present span point to the one that caused it without waiting for it, by its traceparent."""
    if link and traces_are_on():
        from opentelemetry.trace import get_current_span

        get_current_span().add_link(get_current_span(_context_of({"traceparent": link})).get_span_context())


def traceparent() -> str:
    """The present span as a traceparent, to be kept with what it causes; empty where there is none."""
    if not traces_are_on():
        return ""
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def current_trace() -> dict[str, str]:
    """The ids of the present trace and span, for a line of the log; nothing where there is none."""
    present = traceparent()
    if not present:
        return {}
    _, trace, span_id, _ = present.split("-")
    return {"trace_id": trace, "span_id": span_id}


class Runs:
    """The span of each run in this process: begun with its first step, ended with the run or with the process."""

    def __init__(self) -> None:
        self._open: dict[str, Span] = {}
        self._lock = threading.Lock()

    @contextmanager
    def step(self, run_id: str, asset: str) -> Iterator[None]:
        """A span over one step of a run."""
        fields: dict[Field, str] = {"run_id": run_id, "asset": asset}
        if not traces_are_on():
            with about(fields):
                yield
            return
        from opentelemetry import context
        from opentelemetry.trace import set_span_in_context

        with self._lock:
            if run_id not in self._open:
                self._open[run_id] = _tracer().start_span(
                    "dagster run", context=context.Context(), attributes={_FIELDS["run_id"]: run_id}
                )
            run = self._open[run_id]
        token = context.attach(set_span_in_context(run))
        try:
            with span("dagster step", fields):
                yield
        finally:
            context.detach(token)

    def end(self) -> None:
        """End the spans of all runs."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].end()


runs = Runs()


@contextmanager
def _started(
    name: str,
    fields: Mapping[Field, str],
    parent: Mapping[str, str] | None,
    attributes: Mapping[str, str | int | float],
) -> Iterator[Span]:
    from opentelemetry.trace import SpanKind, StatusCode

    with _tracer().start_as_current_span(
        name,
        context=_context_of(parent) if parent else None,
        kind=SpanKind.SERVER if parent is not None else SpanKind.INTERNAL,
        attributes={**{_FIELDS[field]: value for field, value in fields.items() if value}, **attributes},
        record_exception=False,
        set_status_on_exception=False,
    ) as started:
        try:
            yield started
        except BaseException as error:
            code = error.code if isinstance(error, TenantRuntimeError) else type(error).__name__
            started.set_attribute("error.type", code)
            started.set_status(StatusCode.ERROR)
            raise


def _context_of(carrier: Mapping[str, str]) -> Context:
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract(carrier, Context())


@cache
def _tracer() -> Tracer:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    from tenant_pipeline.telemetry.collector import batches_to_collector

    service = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "tenant-runtime"}
    provider = TracerProvider(resource=Resource.create(service), shutdown_on_exit=False)
    processor = batches_to_collector()
    provider.add_span_processor(processor)
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # `collector` says it once, in our words
    atexit.register(processor.shutdown)
    atexit.register(runs.end)  # the last registered is called first
    return provider.get_tracer("tenant_pipeline")


def _unheard(name: str, value: Any) -> None:
    return

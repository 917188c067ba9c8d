"""Handing spans to the collector, in the background: one that is away costs its spans and one line of the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from tenant_pipeline.telemetry.traces import LAST_SECONDS

_log = logging.getLogger(__name__)


def batches_to_collector() -> _Hurried:
    """What hands spans over in batches; its variables are OpenTelemetry's (`OTEL_BSP_…`, `OTEL_EXPORTER_OTLP_…`)."""
    return _Hurried(_Collector(OTLPSpanExporter()))


class _Hurried(BatchSpanProcessor):
    """When the process ends, waits a moment for the last spans to be taken; not at all when nobody takes them."""

    def __init__(self, collector: _Collector) -> None:
        super().__init__(collector)
        self._collector = collector

    def shutdown(self) -> None:
        self._batch_processor.shutdown(timeout_millis=0 if self._collector.away else int(LAST_SECONDS * 1000))


class _Collector(SpanExporter):
    """The exporter; says once that the collector does not take spans, and once that it does again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.away = False
        self._lock = threading.Lock()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._exporter.export(spans)
        except Exception:  # whatever it is, it is no reason for the work to stop
            result = SpanExportResult.FAILURE
        with self._lock:
            away, before = result is not SpanExportResult.SUCCESS, self.away
            self.away = away
        if away and not before:
            _log.warning("the trace collector takes no spans: they are lost until it does")
        elif before and not away:
            _log.warning("the trace collector takes spans again")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)

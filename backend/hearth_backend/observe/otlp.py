"""A copy of the spans for the person's own OpenTelemetry collector; the one place that loads OpenTelemetry's SDK."""

import logging
from collections.abc import Sequence
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from hearth_backend.observe.spans import Span
from hearth_backend.observe.store import kept

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_TIMEOUT_S = 3
_PATH = "/v1/traces"


class Otlp:
    """Sends spans over OTLP/HTTP. Its calls block: they belong in a thread."""

    def __init__(self, url: str) -> None:
        # The exporter logs every failed attempt; the span log says it once, and once when it works again.
        logging.getLogger("opentelemetry.exporter.otlp").setLevel(logging.CRITICAL)
        session = requests.Session()
        session.trust_env = False  # a proxy from the environment is not where the person wants the spans
        self._exporter = OTLPSpanExporter(endpoint=endpoint(url), timeout=_TIMEOUT_S, session=session)
        self._resource = Resource({"service.name": "hearth"})

    def export(self, spans: Sequence[Span]) -> bool:
        """Whether the collector took them."""
        readable = [self._readable(span) for span in spans]
        return self._exporter.export(readable) is SpanExportResult.SUCCESS

    def close(self) -> None:
        """Let the connection go."""
        self._exporter.shutdown()

    def _readable(self, span: Span) -> ReadableSpan:
        started = int(span.started * 1e9)
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace_id, span.span_id),
            parent=_context(span.trace_id, span.parent_id) if span.parent_id else None,
            resource=self._resource,
            attributes=kept(span.attributes),
            kind=SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.UNSET),
            start_time=started,
            end_time=started + int(span.ms * 1e6),
        )


def endpoint(url: str) -> str:
    """The full address: a collector named without a path gets OTLP's own."""
    return url if urlsplit(url).path.strip("/") else url.rstrip("/") + _PATH


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=_SAMPLED)

"""A real collector on loopback receives OTLP that OpenTelemetry's own protobuf understands."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hearth_backend.observe.otlp import Otlp, endpoint
from hearth_backend.observe.spans import Span
from hearth_backend.observe.traces import Tracer
from hearth_shared.settings import Observe

pytestmark = pytest.mark.integration


class Collector(ThreadingHTTPServer):
    """Answers as OpenTelemetry's collector does and remembers the bodies."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, bytes]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Collector  # type: ignore[assignment]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def family() -> list[Span]:
    spans: list[Span] = []
    with Span(spans.append, "http", "a" * 32, None, {"route": "/v1/tasks", "note": "What did she say to you"}) as outer:
        inner = Span(spans.append, "tool", "a" * 32, outer.span_id, {"tool": "clock"})
        with inner:
            inner.fail("model_failed")
    return spans


def test_ids_names_times_and_status_arrive_and_content_does_not(collector: Collector) -> None:
    spans = family()
    otlp = Otlp(collector.url)
    assert otlp.export(spans)
    otlp.close()
    path, body = collector.received[0]
    sent = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans
    tool, http = sent
    assert path == "/v1/traces"
    assert (http.name, http.trace_id.hex(), http.span_id.hex()) == ("http", "a" * 32, spans[1].span_id)
    assert tool.parent_span_id == http.span_id
    assert (tool.status.code, tool.status.message) == (2, "model_failed")
    assert http.end_time_unix_nano >= http.start_time_unix_nano > 0
    assert b"What did she say" not in body


async def test_a_tracer_with_a_collector_sends_its_spans_there(collector: Collector) -> None:
    tracer = Tracer(None, Observe(otlp_url=collector.url))
    with tracer.span("model", model="qwen"):
        pass
    await tracer.close()
    assert len(collector.received) == 1


def test_the_sdk_is_loaded_by_those_who_export_alone() -> None:
    program = "import sys, hearth_backend.observe.traces; print([m for m in sys.modules if 'opentelemetry' in m])"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_collector_that_refuses_is_reported_as_such(collector: Collector) -> None:
    collector.status = 400
    otlp = Otlp(collector.url)
    assert not otlp.export(family())
    otlp.close()


def test_an_absent_collector_is_reported_as_such(collector: Collector) -> None:
    port = collector.server_port
    collector.socket.close()
    otlp = Otlp(f"http://127.0.0.1:{port}/v1/traces")
    assert not otlp.export(family())
    otlp.close()


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
        ("https://otel.example/custom", "https://otel.example/custom"),
    ],
)
def test_a_collector_named_without_a_path_gets_the_usual_one(url: str, full: str) -> None:
    assert endpoint(url) == full

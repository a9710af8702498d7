"""What Hearth counts, in Prometheus' text format; nothing here ever holds content or an id."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from hearth_backend.observe.request_counts import Described, RequestCounts

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MOST = 400  # label sets of one metric; whatever comes after is counted under "other"
_REQUEST_LABELS = "route method status"
_HTTP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_ANSWER_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)

Kind = TypeVar("Kind", Counter, Gauge, Histogram)


class _Family(Generic[Kind]):
    """A metric whose bound children are kept: a look-up in place of prometheus_client's slower `labels`."""

    __slots__ = ("_children", "_metric", "_width")

    def __init__(self, metric: Kind, labels: tuple[str, ...]) -> None:
        self._metric = metric
        self._width = len(labels)
        self._children: dict[tuple[str, ...], Kind] = {}

    def of(self, *labels: str) -> Kind:
        child = self._children.get(labels)
        return self._bind(labels) if child is None else child

    def _bind(self, labels: tuple[str, ...]) -> Kind:
        if len(self._children) >= _MOST:
            labels = ("other",) * self._width
        child = self._children[labels] = self._metric.labels(*labels) if labels else self._metric
        return child


class _WithoutCreationTimes(Collector):
    """The registry without prometheus_client's `_created` series, which double every counter and tell nothing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


class Metrics:
    """One method for each thing that happens; every call costs a few microseconds.

    `agent_token_usage` and `agent_cost_dollars` only ever grow, but are exposed as gauges: a Prometheus counter
    must end in `_total`, and these two names are fixed. `rate()` works on them all the same.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        self._described: list[Described] = []
        self._answers()
        self._doors()
        self._work()

    def _answers(self) -> None:
        self._requests = self._counter("agent_requests_total", "Tasks done, by how they ended.", "agent door outcome")
        self._latency = self._histogram(
            "agent_latency_seconds", "Seconds from a task's start to its end.", "agent door", _ANSWER_SECONDS
        )
        self._errors = self._counter("agent_errors_total", "Failures, by error code (see errors.md).", "code")
        self._tokens = self._gauge(
            "agent_token_usage", "Tokens read (input) and written (output) by models; only grows.", "direction model"
        )
        self._cost = self._gauge(
            "agent_cost_dollars", "US dollars spent on models with a known price; only grows.", "provider model"
        )

    def _doors(self) -> None:
        requests = self._describe(
            "hearth_http_requests_total", "counter", "Requests by route template, method and status.", _REQUEST_LABELS
        )
        seconds = self._describe(
            "hearth_http_seconds", "histogram", "Seconds until a request was answered in full.", "route"
        )
        self._http = RequestCounts(requests, seconds, _HTTP_SECONDS)
        self._registry.register(self._http)
        self._approvals = self._counter("hearth_approvals_total", "Approvals, by decision or `expired`.", "decision")
        self._feedback = self._counter("hearth_feedback_total", "Answers a person rated.", "rating")

    def _work(self) -> None:
        self._waiting = self._gauge("hearth_lane_waiting", "Tasks waiting in a lane now.", "lane")
        self._calls = self._counter("hearth_model_calls_total", "Model calls, by outcome.", "role provider outcome")
        self._first = self._histogram(
            "hearth_first_token_seconds", "Seconds until a model's first token.", "role provider", _ANSWER_SECONDS
        )
        self._tools = self._counter("hearth_tool_calls_total", "Tool calls, by outcome.", "tool outcome")
        self._recall = self._counter("hearth_recall_total", "Questions to memory: found, nothing or failed.", "outcome")
        self._relevance = self._histogram(
            "hearth_recall_relevance", "How well the best recalled passage fits its question, 0 to 1.", "", _SHARES
        )
        self._laid = self._counter(
            "hearth_context_passages_total", "Passages laid before a model, by use: cited, echoed or unused.", "use"
        )
        self._utilisation = self._histogram(
            "hearth_context_utilisation", "Share of the passages before a model that its answer used.", "", _SHARES
        )
        self._restarts = self._counter("hearth_engine_restarts_total", "Times the engine's process was restarted.", "")

    # -- what happened

    def http(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered. `route` is the template (`/v1/tasks/{task_id}`), never the path asked for."""
        self._http.count(route, method, status, seconds)

    def run(self, agent: str, door: str, outcome: str, seconds: float) -> None:
        """A task ended: finished, failed, cancelled or dead."""
        self._requests.of(agent, door, outcome).inc()
        self._latency.of(agent, door).observe(seconds)

    def error(self, code: str) -> None:
        """A person or program was told of a failure."""
        self._errors.of(code).inc()

    def model_call(
        self,
        role: str,
        provider: str,
        model: str,
        *,
        ok: bool,
        input_tokens: int = 0,
        output_tokens: int = 0,
        cost: float | None = 0.0,
        first_seconds: float | None = None,
    ) -> None:
        """A model call ended; `cost` None means that its price is not known."""
        self._calls.of(role, provider, "ok" if ok else "failed").inc()
        self._tokens.of("input", model).inc(input_tokens)
        self._tokens.of("output", model).inc(output_tokens)
        if cost:
            self._cost.of(provider, model).inc(cost)
        if first_seconds is not None:
            self._first.of(role, provider).observe(first_seconds)

    def tool_call(self, tool: str, outcome: str) -> None:
        """A tool was called: ok or failed."""
        self._tools.of(tool, outcome).inc()

    def recall(self, outcome: str) -> None:
        """Memory was asked: found, nothing or failed."""
        self._recall.of(outcome).inc()

    def recalled(self, relevance: float) -> None:
        """Passages were found; the best is worth so much for the question."""
        self._relevance.of().observe(relevance)

    def passages_used(self, cited: int, echoed: int, unused: int) -> None:
        """An answer was given from so many passages; those echoed are used without being cited."""
        for use, count in (("cited", cited), ("echoed", echoed), ("unused", unused)):
            self._laid.of(use).inc(count)
        if laid := cited + echoed + unused:
            self._utilisation.of().observe((cited + echoed) / laid)

    def lane_waiting(self, lane: str, count: int) -> None:
        """So many tasks wait in a lane now."""
        self._waiting.of(lane).set(count)

    def approval(self, decision: str) -> None:
        """An approval was decided, or expired."""
        self._approvals.of(decision).inc()

    def feedback(self, rating: str) -> None:
        """A person rated an answer."""
        self._feedback.of(rating).inc()

    def engine_restart(self) -> None:
        """The engine's process died and was started again."""
        self._restarts.of().inc()

    # -- what is shown

    def render(self) -> bytes:
        """Everything, as `GET /metrics` answers it (with CONTENT_TYPE)."""
        return generate_latest(_WithoutCreationTimes(self._registry))

    def described(self) -> tuple[Described, ...]:
        """Every metric, for the docs."""
        return tuple(self._described)

    # -- building

    def _counter(self, name: str, text: str, labels: str) -> _Family[Counter]:
        names = self._describe(name, "counter", text, labels).labels
        return _Family(Counter(name, text, names, registry=self._registry), names)

    def _gauge(self, name: str, text: str, labels: str) -> _Family[Gauge]:
        names = self._describe(name, "gauge", text, labels).labels
        return _Family(Gauge(name, text, names, registry=self._registry), names)

    def _histogram(self, name: str, text: str, labels: str, buckets: tuple[float, ...]) -> _Family[Histogram]:
        names = self._describe(name, "histogram", text, labels).labels
        return _Family(Histogram(name, text, names, buckets=buckets, registry=self._registry), names)

    def _describe(self, name: str, kind: str, text: str, labels: str) -> Described:
        described = Described(name, kind, tuple(labels.split()), text)
        self._described.append(described)
        return described

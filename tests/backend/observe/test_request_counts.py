"""Plain numbers in, Prometheus families out."""

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from hearth_backend.observe.request_counts import Described, RequestCounts

pytestmark = pytest.mark.unit


@pytest.fixture
def counts() -> RequestCounts:
    requests = Described("requests_total", "counter", ("route", "method", "status"), "Requests.")
    seconds = Described("seconds", "histogram", ("route",), "Seconds.")
    return RequestCounts(requests, seconds, (0.1, 1.0))


def told(counts: RequestCounts) -> list[str]:
    registry = CollectorRegistry()
    registry.register(counts)
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_requests_are_told_by_their_labels(counts: RequestCounts) -> None:
    for status in (200, 200, 404):
        counts.count("/v1/x", "GET", status, 0.0)
    lines = told(counts)
    assert 'requests_total{method="GET",route="/v1/x",status="200"} 2.0' in lines
    assert 'requests_total{method="GET",route="/v1/x",status="404"} 1.0' in lines


def test_a_bucket_holds_what_is_at_most_its_bound_and_all_below(counts: RequestCounts) -> None:
    for seconds in (0.05, 0.1, 0.5, 7.0):
        counts.count("/v1/x", "GET", 200, seconds)
    lines = told(counts)
    assert 'seconds_bucket{le="0.1",route="/v1/x"} 2.0' in lines
    assert 'seconds_bucket{le="1.0",route="/v1/x"} 3.0' in lines
    assert 'seconds_bucket{le="+Inf",route="/v1/x"} 4.0' in lines
    assert 'seconds_count{route="/v1/x"} 4.0' in lines
    assert 'seconds_sum{route="/v1/x"} 7.65' in lines


def test_nothing_is_told_of_what_never_came(counts: RequestCounts) -> None:
    assert told(counts) == []

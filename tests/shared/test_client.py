from collections.abc import Iterator
from pathlib import Path

import pytest

from hearth_shared.client import BackendClient
from hearth_shared.errors import BackendUnavailable, Conflict, DeadlineExceeded, NotFound, Unauthorized
from hearth_shared.paths import Home
from support.small_backend import Asked, Reply, SmallBackend, Stream, sse, waiting

pytestmark = pytest.mark.integration


@pytest.fixture
def backend(hearth_home: Path) -> Iterator[SmallBackend]:
    with SmallBackend(Home(hearth_home)) as backend:
        yield backend


@pytest.fixture
def client(backend: SmallBackend) -> BackendClient:
    return BackendClient(backend.home, "cli", start=False)


def test_a_request_carries_the_doors_key_and_comes_back_as_json(backend: SmallBackend, client: BackendClient) -> None:
    backend.routes["POST", "/v1/threads"] = lambda asked: {"got": asked.body}
    assert client.request("POST", "/v1/threads", {"title": "hé"}, key="k1") == {"got": {"title": "hé"}}
    headers = backend.asked[0].headers
    assert headers["authorization"] == f"Bearer {backend.keys['cli']}"
    assert (headers["host"], headers["content-type"]) == ("localhost", "application/json")
    assert headers["idempotency-key"] == "k1"


def test_what_is_posted_without_a_body_still_says_that_no_form_sent_it(
    backend: SmallBackend, client: BackendClient
) -> None:
    backend.routes["POST", "/v1/tasks/a/retry"] = lambda asked: {}
    client.request("POST", "/v1/tasks/a/retry")
    assert backend.asked[0].headers["content-type"] == "application/json"


def test_a_problem_arrives_as_the_error_it_was(backend: SmallBackend, client: BackendClient) -> None:
    def taken(asked: Asked) -> Reply:
        raise Conflict("Somebody decided.", "Look again.", winner="tray")

    backend.routes["POST", "/v1/approvals/a"] = taken
    with pytest.raises(Conflict) as caught:
        client.request("POST", "/v1/approvals/a", {})
    assert (caught.value.fix, caught.value.data) == ("Look again.", {"winner": "tray"})


def test_without_a_backend_it_says_how_to_start(hearth_home: Path) -> None:
    with pytest.raises(BackendUnavailable, match="hearth up"):
        BackendClient(Home(hearth_home), "cli", start=False).request("GET", "/v1/status")


def test_the_port_is_the_same_with_a_token(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/status"] = lambda asked: {"host": asked.headers["host"]}
    backend.keys["token"] = "hth_1_abc"
    client = BackendClient.at_port(backend.port, "hth_1_abc")
    assert client.request("GET", "/v1/status") == {"host": f"127.0.0.1:{backend.port}"}
    with pytest.raises(Unauthorized):
        BackendClient.at_port(backend.port, "hth_1_wrong").request("GET", "/v1/status")


def test_a_backend_that_does_not_answer_in_time_is_said(backend: SmallBackend, client: BackendClient) -> None:
    backend.routes["GET", "/slow"] = lambda asked: Stream(waiting())
    with pytest.raises(DeadlineExceeded):
        client.request("GET", "/slow", limit=0.1)


def test_text_that_is_not_json_comes_as_it_is(backend: SmallBackend, client: BackendClient) -> None:
    backend.routes["GET", "/metrics"] = lambda asked: "agent_requests_total 1\n"
    assert client.text("/metrics") == "agent_requests_total 1\n"


def test_a_stream_ends_with_its_run(backend: SmallBackend, client: BackendClient) -> None:
    pieces = [sse(1, "task.queued", {}), sse(2, "text.delta", {}), sse(3, "task.finished", {}), sse(4, "x", {})]
    backend.routes["GET", "/v1/tasks/run_1/events"] = lambda asked: Stream(pieces)
    assert [event["seq"] for event in client.events("/v1/tasks/run_1/events")] == [1, 2, 3]


def test_a_stream_starts_after_the_event_asked_for(backend: SmallBackend, client: BackendClient) -> None:
    backend.routes["GET", "/v1/tasks/run_1/events"] = lambda asked: Stream([sse(9, "task.finished", {})])
    assert len(list(client.events("/v1/tasks/run_1/events", after_seq=8))) == 1
    assert backend.asked[0].headers["last-event-id"] == "8"


EVENTS = [sse(n, "text.delta", {"text": f"é{n}"}) for n in range(1, 8)] + [sse(8, "task.finished", {})]
WHOLE = b"".join(EVENTS)


def broken_everywhere(asked: Asked) -> Reply:
    """Sends one event more than the reader has, then part of the next, and breaks off."""
    seen = int(asked.headers.get("last-event-id", "0"))
    return Stream([EVENTS[seen], EVENTS[seen + 1][:37] if seen < 7 else b": bye\n\n"], whole=False)


def test_over_broken_connections_no_event_is_lost_or_doubled(backend: SmallBackend, client: BackendClient) -> None:
    backend.routes["POST", "/v1/threads/t/messages"] = broken_everywhere
    backend.routes["GET", "/v1/tasks/run_1/events"] = broken_everywhere
    events = list(client.events("/v1/threads/t/messages", {"text": "hi"}))
    assert [event["seq"] for event in events] == list(range(1, 9))
    assert [asked.method for asked in backend.asked] == ["POST"] + ["GET"] * 7


def test_a_post_that_broke_before_its_first_event_is_the_same_request_again(
    backend: SmallBackend, client: BackendClient
) -> None:
    def first_breaks(asked: Asked) -> Reply:
        return Stream([b": hi\n\n"], whole=False) if len(backend.asked) == 1 else Stream([WHOLE])

    backend.routes["POST", "/v1/threads/t/messages"] = first_breaks
    assert len(list(client.events("/v1/threads/t/messages", {"text": "hi"}))) == 8
    keys = {asked.headers["idempotency-key"] for asked in backend.asked}
    assert len(backend.asked) == 2
    assert len(keys) == 1


def test_a_stream_goes_on_after_the_backend_was_started_again(hearth_home: Path) -> None:
    home = Home(hearth_home)
    routes = {("GET", "/v1/tasks/run_1/events"): broken_everywhere}
    first = SmallBackend(home, routes).__enter__()
    events = BackendClient(home, "cli", start=False).events("/v1/tasks/run_1/events")
    seqs = [next(events)["seq"]]
    first.__exit__()
    with SmallBackend(home, routes):
        seqs += [event["seq"] for event in events]
    assert seqs == list(range(1, 9))


def test_a_stream_that_never_says_anything_is_given_up(
    backend: SmallBackend, client: BackendClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hearth_shared.sse._PAUSES", (0.0, 0.0))
    backend.routes["GET", "/v1/events"] = lambda asked: Stream([], whole=False)
    with pytest.raises(BackendUnavailable):
        list(client.events("/v1/events", ends=False))


def test_an_error_instead_of_a_stream_is_that_error(client: BackendClient) -> None:
    with pytest.raises(NotFound):
        list(client.events("/v1/tasks/run_9/events"))


@pytest.mark.parametrize(("method", "path", "times"), [("GET", "/v1/status", 2), ("POST", "/v1/memory/forget", 1)])
def test_what_only_asks_is_asked_once_more_of_a_backend_that_was_ending(
    backend: SmallBackend, client: BackendClient, method: str, path: str, times: int
) -> None:
    backend.routes[method, path] = lambda asked: Stream([], whole=False)
    with pytest.raises(BackendUnavailable):
        client.request(method, path, {} if method == "POST" else None)
    assert len(backend.asked) == times

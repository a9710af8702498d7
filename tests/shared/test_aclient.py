import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearth_shared.aclient import AsyncBackendClient
from hearth_shared.errors import BackendUnavailable, Conflict, DeadlineExceeded, NotFound, Unauthorized
from hearth_shared.paths import Home
from support.small_backend import Asked, Reply, SmallBackend, Stream, sse, waiting

pytestmark = pytest.mark.integration


@pytest.fixture
def backend(hearth_home: Path) -> Iterator[SmallBackend]:
    with SmallBackend(Home(hearth_home)) as backend:
        yield backend


@pytest.fixture
def client(backend: SmallBackend) -> AsyncBackendClient:
    return AsyncBackendClient(backend.home, "cli", start=False)


async def test_a_request_carries_the_doors_key_and_comes_back_as_json(
    backend: SmallBackend, client: AsyncBackendClient
) -> None:
    backend.routes["POST", "/v1/threads"] = lambda asked: {"got": asked.body}
    assert await client.request("POST", "/v1/threads", {"title": "hé"}, key="k1") == {"got": {"title": "hé"}}
    headers = backend.asked[0].headers
    assert headers["authorization"] == f"Bearer {backend.keys['cli']}"
    assert (headers["host"], headers["content-type"]) == ("localhost", "application/json")
    assert headers["idempotency-key"] == "k1"


async def test_a_problem_arrives_as_the_error_it_was(backend: SmallBackend, client: AsyncBackendClient) -> None:
    def taken(asked: Asked) -> Reply:
        raise Conflict("Somebody decided.", "Look again.", winner="tray")

    backend.routes["POST", "/v1/approvals/a"] = taken
    with pytest.raises(Conflict) as caught:
        await client.request("POST", "/v1/approvals/a", {})
    assert (caught.value.fix, caught.value.data) == ("Look again.", {"winner": "tray"})


async def test_without_a_backend_it_says_how_to_start(hearth_home: Path) -> None:
    with pytest.raises(BackendUnavailable, match="hearth up"):
        await AsyncBackendClient(Home(hearth_home), "cli", start=False).request("GET", "/v1/status")


async def test_the_port_is_the_same_with_a_token(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/status"] = lambda asked: {"host": asked.headers["host"]}
    backend.keys["token"] = "hth_1_abc"
    client = AsyncBackendClient.at_port(backend.port, "hth_1_abc")
    assert await client.request("GET", "/v1/status") == {"host": f"127.0.0.1:{backend.port}"}
    with pytest.raises(Unauthorized):
        await AsyncBackendClient.at_port(backend.port, "hth_1_wrong").request("GET", "/v1/status")


async def test_a_backend_that_does_not_answer_in_time_is_said(
    backend: SmallBackend, client: AsyncBackendClient
) -> None:
    backend.routes["GET", "/slow"] = lambda asked: Stream(waiting())
    with pytest.raises(DeadlineExceeded):
        await client.request("GET", "/slow", limit=0.1)


async def test_a_stream_ends_with_its_run(backend: SmallBackend, client: AsyncBackendClient) -> None:
    pieces = [sse(1, "task.queued", {}), sse(2, "text.delta", {}), sse(3, "task.finished", {}), sse(4, "x", {})]
    backend.routes["GET", "/v1/tasks/run_1/events"] = lambda asked: Stream(pieces)
    assert [event["seq"] async for event in client.events("/v1/tasks/run_1/events")] == [1, 2, 3]


async def test_a_stream_starts_after_the_event_asked_for(backend: SmallBackend, client: AsyncBackendClient) -> None:
    backend.routes["GET", "/v1/tasks/run_1/events"] = lambda asked: Stream([sse(9, "task.finished", {})])
    assert len([event async for event in client.events("/v1/tasks/run_1/events", after_seq=8)]) == 1
    assert backend.asked[0].headers["last-event-id"] == "8"


EVENTS = [sse(n, "text.delta", {"text": f"é{n}"}) for n in range(1, 8)] + [sse(8, "task.finished", {})]
WHOLE = b"".join(EVENTS)


def broken_everywhere(asked: Asked) -> Reply:
    """Sends one event more than the reader has, then part of the next, and breaks off."""
    seen = int(asked.headers.get("last-event-id", "0"))
    return Stream([EVENTS[seen], EVENTS[seen + 1][:37] if seen < 7 else b": bye\n\n"], whole=False)


async def test_over_broken_connections_no_event_is_lost_or_doubled(
    backend: SmallBackend, client: AsyncBackendClient
) -> None:
    backend.routes["POST", "/v1/threads/t/messages"] = broken_everywhere
    backend.routes["GET", "/v1/tasks/run_1/events"] = broken_everywhere
    events = [event async for event in client.events("/v1/threads/t/messages", {"text": "hi"})]
    assert [event["seq"] for event in events] == list(range(1, 9))
    assert [asked.method for asked in backend.asked] == ["POST"] + ["GET"] * 7


async def test_a_post_that_broke_before_its_first_event_is_the_same_request_again(
    backend: SmallBackend, client: AsyncBackendClient
) -> None:
    def first_breaks(asked: Asked) -> Reply:
        return Stream([b": hi\n\n"], whole=False) if len(backend.asked) == 1 else Stream([WHOLE])

    backend.routes["POST", "/v1/threads/t/messages"] = first_breaks
    assert len([event async for event in client.events("/v1/threads/t/messages", {"text": "hi"})]) == 8
    keys = {asked.headers["idempotency-key"] for asked in backend.asked}
    assert len(backend.asked) == 2
    assert len(keys) == 1


async def test_a_stream_goes_on_after_the_backend_was_started_again(hearth_home: Path) -> None:
    home = Home(hearth_home)
    routes = {("GET", "/v1/tasks/run_1/events"): broken_everywhere}
    first = SmallBackend(home, routes).__enter__()
    events = AsyncBackendClient(home, "cli", start=False).events("/v1/tasks/run_1/events")
    seqs = [(await anext(events))["seq"]]
    first.__exit__()
    with SmallBackend(home, routes):
        seqs += [event["seq"] async for event in events]
    assert seqs == list(range(1, 9))


async def test_a_stream_that_never_says_anything_is_given_up(
    backend: SmallBackend, client: AsyncBackendClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hearth_shared.sse._PAUSES", (0.0, 0.0))
    backend.routes["GET", "/v1/events"] = lambda asked: Stream([], whole=False)
    with pytest.raises(BackendUnavailable):
        [event async for event in client.events("/v1/events", ends=False)]


async def test_an_error_instead_of_a_stream_is_that_error(client: AsyncBackendClient) -> None:
    with pytest.raises(NotFound):
        [event async for event in client.events("/v1/tasks/run_9/events")]


async def test_leaving_a_stream_closes_its_connection(backend: SmallBackend, client: AsyncBackendClient) -> None:
    left = asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless() -> Iterator[bytes]:
        try:
            for seq in itertools.count(1):
                yield sse(seq, "text.delta", {"text": "x" * 10_000})
        finally:
            loop.call_soon_threadsafe(left.set)

    backend.routes["GET", "/v1/events"] = lambda asked: Stream(endless())
    async with contextlib.aclosing(client.events("/v1/events", ends=False)) as events:
        await anext(events)
    await left.wait()


@pytest.mark.parametrize(("method", "path", "times"), [("GET", "/v1/status", 2), ("POST", "/v1/memory/forget", 1)])
async def test_what_only_asks_is_asked_once_more_of_a_backend_that_was_ending(
    backend: SmallBackend, client: AsyncBackendClient, method: str, path: str, times: int
) -> None:
    backend.routes[method, path] = lambda asked: Stream([], whole=False)
    with pytest.raises(BackendUnavailable):
        await client.request(method, path, {} if method == "POST" else None)
    assert len(backend.asked) == times

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from hearth_backend.api.exchange import Call, Stream
from hearth_backend.api.principals import first_party
from hearth_backend.api.routes.events import Events
from hearth_backend.services import Services
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.principals import Door, Scope
from support.backend import Backend
from support.orchestra import Orchestra, orchestra

pytestmark = pytest.mark.integration

TASKS = "/v1/agents/assistant/tasks"


def test_a_websocket_gives_one_event_per_message_from_where_the_reader_was(backend: Backend) -> None:
    token = backend.token(Scope.TASKS)
    client = backend.over_tcp(token.text)
    task_id = client.post(TASKS, json={"goal": "hello"}).json()["task_id"]
    with client.stream("GET", f"/v1/tasks/{task_id}/events") as events:
        numbers = [int(line[4:]) for line in events.iter_lines() if line.startswith("id: ")]
    url = f"ws://127.0.0.1:{backend.port}/v1/events?after_seq={numbers[0] - 1}"
    with connect(url, additional_headers={"Authorization": f"Bearer {token.text}"}) as socket:
        heard = [json.loads(socket.recv(timeout=30)) for _ in numbers]
    assert [event["seq"] for event in heard] == numbers
    assert {event["run_id"] for event in heard} == {task_id}


def test_a_program_hears_of_its_own_runs_only(backend: Backend) -> None:
    client = backend.program(Scope.TASKS)
    with client.stream("GET", "/v1/events") as events:
        lines = events.iter_lines()
        next(lines)
        backend.door().post(TASKS, json={"goal": "the person's"})
        own = client.post(TASKS, json={"goal": "my own"}).json()["task_id"]
        first = next(json.loads(line[6:]) for line in lines if line.startswith("data: "))
    assert first["run_id"] == own


def test_a_wrong_place_in_the_address_ends_the_websocket_with_the_reason(backend: Backend) -> None:
    token = backend.token(Scope.TASKS).text
    url = f"ws://127.0.0.1:{backend.port}/v1/events?after_seq=x"
    authorized = {"Authorization": f"Bearer {token}"}
    with connect(url, additional_headers=authorized) as socket, pytest.raises(ConnectionClosed) as ended:
        socket.recv(timeout=30)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1008
    assert "after_seq" in ended.value.rcvd.reason


async def first_told(stream: Stream) -> Any:
    """The first event of an open stream."""
    async for chunk in stream.chunks:
        for line in chunk.decode().splitlines():
            if line.startswith("data: "):
                return json.loads(line[6:])
    raise AssertionError("the stream ended")


class Reader:
    """The other side of a WebSocket, who does something as soon as it is open, and reads one message."""

    def __init__(self, band: Orchestra) -> None:
        self._band = band

    async def open(self) -> None:
        await self._band.events.record(EventType.MEMORY_STORED, data={"number": 1})

    async def send(self, text: str) -> None:
        raise Told(text)


class Told(Exception):
    """What came over the socket."""


@pytest.mark.parametrize("way", ["stream", "socket"])
async def test_what_happens_once_it_is_open_is_told_however_late_it_is_read(way: str, tmp_path: Path) -> None:
    async with orchestra(tmp_path / "hearth.db") as band:
        await band.events.record(EventType.MEMORY_STORED, data={"number": 0})
        rooms = cast("Services", SimpleNamespace(events=band.events, runs=band.runs))
        asked = Call(first_party(Door.TRAY), "req_1", {}, b"", {})
        routes = {(one.method, one.path): one for one in Events(rooms).endpoints()}
        if way == "stream":
            opened = await routes["GET", "/v1/events"].run(asked)
            assert isinstance(opened, Stream)
            await band.events.record(EventType.MEMORY_STORED, data={"number": 1})
            heard = await first_told(opened)
            await opened.chunks.aclose()
        else:
            listen = routes["WS", "/v1/events"].listen
            assert listen is not None
            with pytest.raises(Told) as told:
                await listen(asked, Reader(band))
            heard = json.loads(str(told.value))
        assert heard["data"] == {"number": 1}

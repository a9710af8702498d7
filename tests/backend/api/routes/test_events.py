import json

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from hearth_shared.protocol.principals import Scope
from support.backend import Backend

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

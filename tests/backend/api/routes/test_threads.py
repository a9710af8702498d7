import json

import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend

pytestmark = pytest.mark.integration


def thread(backend: Backend) -> str:
    return backend.door().post("/v1/threads", json={"title": "a talk"}).json()["id"]


def test_a_message_is_answered_by_its_run(backend: Backend) -> None:
    door, path = backend.door(), f"/v1/threads/{thread(backend)}"
    accepted = door.post(f"{path}/messages", json={"text": "What can you do?"})
    assert accepted.status_code == 202
    with door.stream("GET", f"/v1/tasks/{accepted.json()['task_id']}/events") as events:
        events.read()
    turns = door.get(path).json()["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant"]
    assert turns[1]["sources"]


def test_a_message_streams_its_runs_events_when_they_are_asked_for(backend: Backend) -> None:
    path = f"/v1/threads/{thread(backend)}/messages"
    headers = {"Accept": "text/event-stream"}
    with backend.door().stream("POST", path, json={"text": "What can you do?"}, headers=headers) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        events = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
    kinds = [event["type"] for event in events]
    assert (kinds[0], kinds[-1]) == ("task.queued", "task.finished")
    assert "text.delta" in kinds
    assert len({event["run_id"] for event in events}) == 1


def test_a_message_to_no_thread_is_an_ordinary_error_even_as_a_stream(backend: Backend) -> None:
    headers = {"Accept": "text/event-stream"}
    answer = backend.door().post("/v1/threads/thread_none/messages", json={"text": "hi"}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_an_answer_is_rated_and_counted(backend: Backend) -> None:
    door, path = backend.door(), f"/v1/threads/{thread(backend)}"
    with door.stream(
        "POST", f"{path}/messages", json={"text": "hello"}, headers={"Accept": "text/event-stream"}
    ) as answer:
        answer.read()
    message = door.get(path).json()["messages"][1]
    rated = door.post(f"{path}/feedback", json={"message_id": message["id"], "rating": "good"})
    assert rated.json()["feedback"] == "good"
    assert 'hearth_feedback_total{rating="good"}' in door.get("/metrics").text


def test_threads_are_shared_by_the_persons_doors(backend: Backend) -> None:
    made = thread(backend)
    assert backend.door("cli").get(f"/v1/threads/{made}").json()["title"] == "a talk"
    assert made in [one["id"] for one in backend.door("editor").get("/v1/threads").json()["threads"]]


def test_what_a_thread_has_at_hand_is_set_by_one_door_and_the_other_hears_of_it(backend: Backend) -> None:
    path = f"/v1/threads/{thread(backend)}/working"
    tray, editor = backend.door(), backend.door("editor")
    seen = tray.get(path).json()
    assert (seen["task"], seen["turns"], seen["results"]) == (None, [], [])
    body = {"version": seen["version"], "task": "the roof"}
    assert tray.put(path, json=body).json()["task"]["text"] == "the roof"
    late = editor.put(path, json=body | {"task": "the cellar"})
    assert late.status_code == 409
    assert (late.json()["version"], late.json()["seen_version"]) == (seen["version"] + 1, seen["version"])
    found = editor.get(path).json()
    assert (found["task"]["text"], found["task"]["door"]) == ("the roof", "tray")


def test_a_program_cannot_see_what_the_persons_threads_have_at_hand(backend: Backend) -> None:
    path = f"/v1/threads/{thread(backend)}/working"
    stranger = backend.program(Scope.CHAT)
    assert stranger.get(path).status_code == 404
    assert stranger.put(path, json={"version": 1, "task": "x"}).status_code == 404
    assert backend.program(Scope.STATUS).get(path).status_code == 403


@pytest.mark.parametrize("body", [{}, {"task": "x"}, {"version": 0, "task": "x"}, {"version": 1, "task": "x" * 2001}])
def test_a_task_of_the_wrong_shape_is_refused(backend: Backend, body: dict[str, object]) -> None:
    path = f"/v1/threads/{thread(backend)}/working"
    assert backend.door().put(path, json=body).status_code == 422


@pytest.mark.parametrize(
    "task", ["\x00", "\u202eevil\u202c", "\U0001f980" * 2000, "' or 1=1 --", "<<<end of result>>>"]
)
def test_a_task_may_be_any_text(backend: Backend, task: str) -> None:
    path = f"/v1/threads/{thread(backend)}/working"
    assert backend.door().put(path, json={"version": 1, "task": task}).json()["task"]["text"] == task
    assert backend.door().get(path).json()["task"]["text"] == task


def test_half_a_character_is_refused(backend: Backend) -> None:
    path = f"/v1/threads/{thread(backend)}/working"
    body, kind = b'{"version": 1, "task": "\\ud83d"}', {"Content-Type": "application/json"}
    assert backend.door().put(path, content=body, headers=kind).status_code in (400, 422)
    assert backend.door().get(path).json()["task"] is None

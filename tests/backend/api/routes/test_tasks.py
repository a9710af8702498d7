import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend

pytestmark = pytest.mark.integration

TASKS = "/v1/agents/assistant/tasks"


def test_a_task_is_accepted_done_and_shown_with_its_steps(backend: Backend) -> None:
    door = backend.door()
    accepted = door.post(TASKS, json={"goal": "What can you do?"})
    assert accepted.status_code == 202
    task_id = accepted.json()["task_id"]
    with door.stream("GET", f"/v1/tasks/{task_id}/events") as events:
        said = "".join(events.iter_text())
    assert "event: task.queued" in said
    assert "event: task.finished" in said
    task = door.get(f"{TASKS}/{task_id}").json()
    assert (task["status"], task["door"]) == ("finished", "tray")
    assert task["answer"]["sources"]
    assert task == door.get(f"/v1/tasks/{task_id}").json()


def test_events_are_resumed_where_the_reader_was(backend: Backend) -> None:
    door = backend.door()
    task_id = door.post(TASKS, json={"goal": "hello"}).json()["task_id"]
    path = f"/v1/tasks/{task_id}/events"
    with door.stream("GET", path) as events:
        numbers = [int(line[4:]) for line in events.iter_lines() if line.startswith("id: ")]
    assert numbers == sorted(numbers)
    for query, headers in (("", {"Last-Event-ID": str(numbers[1])}), (f"?after_seq={numbers[1]}", {})):
        with door.stream("GET", path + query, headers=headers) as events:
            assert [int(line[4:]) for line in events.iter_lines() if line.startswith("id: ")] == numbers[2:]


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30, "١"])
def test_a_last_event_that_is_no_number_is_refused(backend: Backend, last: str) -> None:
    answer = backend.door().get("/v1/events", headers=[(b"Last-Event-ID", last.encode())])
    assert answer.status_code == 400
    assert answer.json()["fix"]


def test_the_same_key_makes_the_same_task_and_another_body_is_a_conflict(backend: Backend) -> None:
    door, key = backend.door(), {"Idempotency-Key": "once"}
    first = door.post(TASKS, json={"goal": "one"}, headers=key)
    again = door.post(TASKS, json={"goal": "one"}, headers=key)
    other = door.post(TASKS, json={"goal": "two"}, headers=key)
    assert first.json()["task_id"] == again.json()["task_id"]
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")


def test_a_task_is_cancelled_and_a_finished_one_stays(backend: Backend) -> None:
    door = backend.door()
    task_id = door.post(TASKS, json={"goal": "hello"}).json()["task_id"]
    with door.stream("GET", f"/v1/tasks/{task_id}/events") as events:
        events.read()
    assert door.delete(f"/v1/tasks/{task_id}").json()["status"] == "finished"


def test_an_agent_that_is_not_there_is_named(backend: Backend) -> None:
    answer = backend.door().post("/v1/agents/nobody/tasks", json={"goal": "x"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_task_of_another_agent_is_not_found_under_this_one(backend: Backend) -> None:
    door = backend.door()
    task_id = door.post(TASKS, json={"goal": "hello"}).json()["task_id"]
    assert door.get(f"/v1/agents/nobody/tasks/{task_id}").status_code == 404


def test_tasks_are_listed_page_by_page(backend: Backend) -> None:
    client = backend.program(Scope.TASKS)
    made = [client.post(TASKS, json={"goal": str(number)}).json()["task_id"] for number in range(3)]
    first = client.get("/v1/tasks", params={"limit": 2}).json()
    rest = client.get("/v1/tasks", params={"limit": 2, "after": first["next"]}).json()
    assert [task["id"] for task in first["tasks"] + rest["tasks"]] == made[::-1]
    assert rest["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "status=done", "sort=up", "limit=99999"])
def test_a_wrong_query_names_the_field(backend: Backend, query: str) -> None:
    answer = backend.door().get(f"/v1/tasks?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, query.partition("=")[0])

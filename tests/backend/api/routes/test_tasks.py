import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend

pytestmark = pytest.mark.integration

TASKS = "/v1/agents/assistant/tasks"
JSON = {"Content-Type": "application/json"}


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


def test_a_task_that_names_no_agent_is_routed_and_tells_its_story(backend: Backend) -> None:
    door = backend.door()
    task_id = door.post("/v1/agents/auto/tasks", json={"goal": "summarise my documents", "budget": {"steps": 3}}).json()
    with door.stream("GET", f"/v1/tasks/{task_id['task_id']}/events") as events:
        events.read()
    task = door.get(f"/v1/tasks/{task_id['task_id']}").json()
    assert (task["routed"]["agent_id"], task["routed"]["how"]) == ("librarian", "rule")
    assert task["budget"]["steps"] == 3
    assert [line["text"] for line in task["logs"]][:2] == ["queued in the lane chat", "begun, attempt 1"]


def test_only_what_failed_is_tried_again(backend: Backend) -> None:
    door = backend.door()
    task_id = door.post(TASKS, json={"goal": "hello"}).json()["task_id"]
    with door.stream("GET", f"/v1/tasks/{task_id}/events") as events:
        events.read()
    again = door.post(f"/v1/tasks/{task_id}/retry", headers=JSON)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert backend.program(Scope.TASKS).post(f"/v1/tasks/{task_id}/retry", headers=JSON).status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost.invalid@127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1"])
def test_a_webhook_into_this_machine_or_its_network_is_refused(backend: Backend, host: str) -> None:
    answer = backend.door().post(TASKS, json={"goal": "hello", "webhook_url": f"http://{host}:9/x"})
    assert answer.status_code in (400, 403)
    assert answer.json()["fix"]


def test_a_webhook_back_to_hearth_is_refused_and_so_is_what_it_would_send(backend: Backend) -> None:
    door = backend.door()
    back = door.post(TASKS, json={"goal": "hello", "webhook_url": f"{backend.url}{TASKS}"})
    assert (back.status_code, "leads back" in back.json()["detail"]) == (403, True)
    sent = door.post(TASKS, json={"goal": "hello"}, headers={"Hearth-Delivery": "run_1"})
    assert (sent.status_code, "leads back" in sent.json()["detail"]) == (403, True)


def test_agents_are_listed_with_what_they_may_do_and_cost(backend: Backend) -> None:
    found = backend.door().get("/v1/agents").json()
    assert [agent["id"] for agent in found["agents"]] == ["assistant", "coder", "librarian"]
    assert found["agents"][1]["budget"]["steps"] == 80
    assert found["problems"] == []

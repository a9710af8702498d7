import json
from typing import Any

import pytest

from support.shell import answer, hearth
from support.small_backend import SmallBackend, Stream, sse

pytestmark = pytest.mark.integration

TASK: dict[str, Any] = {
    "id": "run_1",
    "agent_id": "assistant",
    "goal": "tidy my\nnotes",
    "status": "finished",
    "door": "cli",
    "created_at": 0.0,
    "answer": answer("Tidied."),
    "failure": None,
    "steps": [{"seq": 1, "name": "recall", "call_id": "", "state": "done", "at": 0.0}],
}


def test_a_task_is_given_with_all_that_belongs_to_it(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/agents/writer/tasks"] = lambda asked: {"task_id": "run_1", "status": "queued"}
    outcome = hearth("tasks", "submit", "tidy", "--agent", "writer", "--deadline", "60", "--local-only")
    assert "hearth tasks show run_1" in outcome.out
    assert backend.asked[0].body == {
        "goal": "tidy",
        "context": {"files": []},
        "thread_id": None,
        "deadline_s": 60.0,
        "local_only": True,
    }
    assert backend.asked[0].headers["idempotency-key"]


def test_the_list_is_one_line_each(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/tasks"] = lambda asked: {"tasks": [TASK]}
    out = hearth("tasks", "list", "--status", "finished").out
    assert len(out.splitlines()) == 1
    assert "tidy my notes" in out
    assert backend.asked[0].query["status"] == ["finished"]


def test_no_tasks_is_said(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/tasks"] = lambda asked: {"tasks": []}
    assert hearth("tasks", "list").out == "There are no such tasks.\n"


def test_a_task_is_shown_with_its_answer(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/tasks/run_1"] = lambda asked: TASK
    out = hearth("tasks", "show", "run_1").out
    assert "Tidied.\n" in out
    assert "this machine · tiny" in out
    assert json.loads(hearth("tasks", "show", "run_1", "--json").out)["id"] == "run_1"


def test_a_failed_task_says_why(backend: SmallBackend) -> None:
    failure = {"code": "no_model", "detail": "No model.", "fix": "Connect one.", "retryable": False}
    backend.routes["GET", "/v1/tasks/run_1"] = lambda asked: {**TASK, "answer": None, "failure": failure}
    assert "No model. Connect one.\n" in hearth("tasks", "show", "run_1").out


def test_logs_are_the_steps(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/tasks/run_1"] = lambda asked: TASK
    assert hearth("tasks", "logs", "run_1").out.endswith("1  done  recall\n")
    backend.routes["GET", "/v1/tasks/run_1"] = lambda asked: {**TASK, "steps": []}
    assert "not taken a step" in hearth("tasks", "logs", "run_1").out


@pytest.mark.parametrize(("status", "said"), [("cancelled", "is stopped"), ("finished", "had already ended: finished")])
def test_cancel_says_what_came_of_it(backend: SmallBackend, status: str, said: str) -> None:
    backend.routes["DELETE", "/v1/tasks/run_1"] = lambda asked: {**TASK, "status": status}
    assert said in hearth("tasks", "cancel", "run_1").out


def test_events_of_a_task_end_with_it(backend: SmallBackend) -> None:
    pieces = [sse(6, "text.delta", {"text": "hi"}), sse(7, "task.finished", {}), sse(8, "x", {})]
    backend.routes["GET", "/v1/tasks/run_1/events"] = lambda asked: Stream(pieces)
    outcome = hearth("tasks", "events", "run_1", "--after", "5", "--json")
    assert [json.loads(line)["seq"] for line in outcome.out.splitlines()] == [6, 7]
    assert backend.asked[0].headers["last-event-id"] == "5"
    assert "text.delta run_1 text=hi" in hearth("tasks", "events", "run_1").out

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
    "logs": [
        {"at": 0.0, "level": "info", "text": "begun, attempt 1"},
        {"at": 1.0, "level": "error", "text": "failed: No model."},
    ],
    "thread_id": "thread_1",
    "routed": None,
    "children": [],
    "webhook": None,
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


def test_logs_are_what_happened(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/tasks/run_1"] = lambda asked: TASK
    first, second = hearth("tasks", "logs", "run_1").out.splitlines()
    assert first.endswith("begun, attempt 1")
    assert second.endswith("failed: No model.")
    assert json.loads(hearth("tasks", "logs", "run_1", "--json").out)["steps"][0]["name"] == "recall"
    backend.routes["GET", "/v1/tasks/run_1"] = lambda asked: {**TASK, "logs": []}
    assert "Nothing has happened" in hearth("tasks", "logs", "run_1").out


def test_who_it_went_to_and_whether_its_webhook_was_told_are_shown(backend: SmallBackend) -> None:
    routed = {"agent_id": "coder", "how": "rule", "why": "it says commit"}
    webhook = {"state": "dead", "attempts": 8, "next_at": None, "problem": "it answered 500", "delivered_at": None}
    found = {**TASK, "routed": routed, "webhook": webhook, "children": ["run_2"]}
    backend.routes["GET", "/v1/tasks/run_1"] = lambda asked: found
    out = hearth("tasks", "show", "run_1").out
    assert "given to coder: it says commit (rule)" in out
    assert "its plan: run_2" in out
    assert "webhook dead after 8: it answered 500" in out


def test_a_failed_task_is_tried_again(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/tasks/run_1/retry"] = lambda asked: {**TASK, "status": "queued"}
    assert "tried again" in hearth("tasks", "retry", "run_1").out


def test_what_was_put_back_is_named_and_nothing_in_it_hides(backend: SmallBackend) -> None:
    undone = {"id": "run_1", "paths": ["a.txt", "b\u202e.txt"], "calls": 2}
    backend.routes["POST", "/v1/tasks/run_1/undo"] = lambda asked: undone
    assert hearth("tasks", "undo", "run_1").out == "2 paths are as before the task:\n  a.txt\n  b⟦U+202E⟧.txt\n"
    assert json.loads(hearth("tasks", "undo", "run_1", "--json").out) == undone


def test_the_key_of_a_webhook_is_shown_once(backend: SmallBackend) -> None:
    accepted = {"task_id": "run_1", "status": "queued", "webhook_secret": "whs_x"}
    backend.routes["POST", "/v1/agents/auto/tasks"] = lambda asked: accepted
    assert "whs_x" in hearth("tasks", "submit", "tidy", "--webhook", "https://a.test/").out
    assert backend.asked[0].body["webhook_url"] == "https://a.test/"


def test_profiles_are_listed_with_what_is_wrong_with_their_files(backend: SmallBackend) -> None:
    agent = {"id": "coder", "title": "Coder", "description": "Codes.", "tools": ["shell"], "unasked": [],
             "budget": {"steps": 80, "tokens": None}, "model": "auto", "problem": ""}  # fmt: skip
    listed = {"agents": [agent], "problems": ["mine.toml, line 4: `tools`"]}
    backend.routes["GET", "/v1/agents"] = lambda asked: listed
    out = hearth("tasks", "agents").out
    assert "80 steps" in out
    assert "mine.toml, line 4" in out


def test_an_answer_is_rated_by_its_task(backend: SmallBackend) -> None:
    turns = [
        {"id": "msg_1", "role": "user", "run_id": "run_1"},
        {"id": "msg_2", "role": "assistant", "run_id": "run_1"},
    ]
    backend.routes["GET", "/v1/tasks/run_1"] = lambda asked: TASK
    backend.routes["GET", "/v1/threads/thread_1"] = lambda asked: {"messages": turns}
    backend.routes["POST", "/v1/threads/thread_1/feedback"] = lambda asked: turns[1]
    assert hearth("tasks", "rate", "run_1", "bad", "-m", "too long").out == "Rated bad.\n"
    assert backend.asked[-1].body == {"message_id": "msg_2", "rating": "bad", "note": "too long"}
    backend.routes["GET", "/v1/tasks/run_1"] = lambda asked: {**TASK, "thread_id": None}
    assert "outside a thread" in hearth("tasks", "rate", "run_1", "good").err


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
